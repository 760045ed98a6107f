import type { Immediate, TraceConnection, TraceInterface, TracePacket, TraceStep } from '../model/index.ts';
import { formatRule, formatStatement } from './part.ts';
import { quoted } from './text.ts';

/**
 * A step of a packet as `nft monitor trace` prints it, a line each: in the first step of each base chain also
 * the packet's connection and the packet itself. Empty where a packet comes to a chain's end that tells no more.
 */
export function formatTrace(step: TraceStep): string {
  const { id, family, table, chain, packet } = step;
  const head = `trace id ${hex(id)} ${family} ${table} ${chain}`;
  const isEnd = step.type === 'rule' && step.handle === undefined;
  return [
    ...(packet?.ct === undefined ? [] : [`conntrack: ${connectionText(packet.ct)}`]),
    ...(packet === undefined ? [] : [`packet: ${packetText(packet)}`]),
    ...(isEnd ? [] : [stepText(step)]),
  ]
    .map((text) => `${head} ${text}`)
    .join('\n');
}

const hex = (number: number) => number.toString(16).padStart(8, '0');

function connectionText({ direction, state, status, id }: TraceConnection): string {
  const parts = { direction, state, status: status?.map(flagText).join(','), id };
  return Object.entries(parts)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `ct ${key} ${value}`)
    .join(' ');
}

/** One without a name is a number. */
const flagText = (flag: Immediate) => (typeof flag === 'number' ? `0x${flag.toString(16)}` : flag);

function interfaceText(key: 'iif' | 'oif', value: TraceInterface | undefined): string[] {
  return value === undefined ? [] : [`${key} ${value.name === undefined ? value.index : quoted(value.name)}`];
}

function packetText({ iif, oif, fields }: TracePacket): string {
  return [...interfaceText('iif', iif), ...interfaceText('oif', oif), ...fields.map(formatStatement)].join(
    ' ',
  );
}

function stepText({ type, handle, rule, verdict, policy, mark }: TraceStep): string {
  const decided =
    verdict && [verdict.code, ...(verdict.chain === undefined ? [] : [verdict.chain])].join(' ');
  const marked = mark ? ` meta mark 0x${hex(mark)}` : '';
  if (type === 'policy') return `policy ${policy}${marked}`;
  if (type === 'return') return `verdict ${decided}${marked}`;
  const what = rule === undefined ? `unknown rule handle ${handle}` : `rule ${formatRule(rule)}`;
  return `${what} (verdict ${decided})`;
}
