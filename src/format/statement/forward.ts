import type { Dup, Family, Flow, Fwd, Queue, Reject } from '../../model/index.ts';
import { format } from '../expression.ts';
import { words } from '../selector.ts';
import { listOf, name } from '../text.ts';
import { namedType, type ValueType } from '../type.ts';

const device = namedType('iface_index');
const number = namedType('integer');

/** In netdev a copy leaves through a device, which nft's JSON has as the address. */
function dup({ addr, dev }: Dup, family: Family | undefined): string {
  if (addr === undefined) return words('dup', dev !== undefined && `to ${format(dev, device)}`);
  const type = family === 'netdev' ? device : undefined;
  return words('dup to', format(addr, type), dev !== undefined && `device ${format(dev, device)}`);
}

function fwd({ dev, family, addr }: Fwd): string {
  if (addr === undefined) return `fwd to ${format(dev, device)}`;
  return words('fwd', family, 'to', format(addr, undefined), 'device', format(dev, device));
}

function queue(node: Queue | null): string {
  const set = listOf(node?.flags);
  const flags = (['bypass', 'fanout'] as const).filter((flag) => set.includes(flag)).join(',');
  const num = node?.num;
  return words('queue', flags && `flags ${flags}`, num !== undefined && `to ${format(num, number)}`);
}

const codes: Readonly<Record<string, ValueType>> = {
  icmp: namedType('icmp_code'),
  icmpv6: namedType('icmpv6_code'),
  icmpx: namedType('icmpx_code'),
};

/** The kind of answer that a family gives when the rule names none. */
const usual: Readonly<Partial<Record<Family, Reject['type']>>> = { ip: 'icmp', ip6: 'icmpv6' };

/** The default, port-unreachable of the family's own kind, goes without saying. */
function reject(node: Reject | null, family: Family | undefined): string {
  if (node?.type === undefined) return 'reject';
  if (node.type === 'tcp reset') return 'reject with tcp reset';
  const code = format(node.expr ?? 'port-unreachable', codes[node.type]);
  const silent = node.type === 'icmpx' || node.type === (family && usual[family]);
  return silent && code === 'port-unreachable' ? 'reject' : `reject with ${node.type} ${code}`;
}

/** Statements that send the packet somewhere else, or back, by their key in the JSON. */
export const forwards: Readonly<Record<string, (node: never, family?: Family) => string>> = {
  dup,
  fwd,
  queue,
  reject,
  flow: ({ op, flowtable }: Flow) => `flow ${op} @${name(flowtable.replace(/^@/, ''))}`,
};
