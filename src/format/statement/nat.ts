import type { Expression, Nat, NatPort, Tproxy } from '../../model/index.ts';
import { format } from '../expression.ts';
import { words } from '../selector.ts';
import { listOf } from '../text.ts';
import { namedType, type ValueType } from '../type.ts';

const port = namedType('inet_service');

/** nft's order of the flags. */
const flagOrder = ['random', 'fully-random', 'persistent'] as const;

function flagsText({ flags }: NatPort): string {
  const set = listOf(flags);
  return flagOrder.filter((flag) => set.includes(flag)).join(',');
}

function addressType(family: 'ip' | 'ip6' | undefined): ValueType {
  return family && namedType(family === 'ip' ? 'ipv4_addr' : 'ipv6_addr');
}

/** An IPv6 address, in brackets where a port may follow; each end of a range has its own. */
function address(node: Expression, type: ValueType, brackets: boolean): string {
  const bracketed = (end: Expression) => {
    const text = format(end, type);
    return brackets && typeof end === 'string' && text.includes(':') ? `[${text}]` : text;
  };
  if (typeof node === 'object' && node !== null && 'range' in node)
    return node.range.map(bracketed).join('-');
  return bracketed(node);
}

/** `192.0.2.1:80`, `[2001:db8::1]:80`, `:80` */
function target(node: Nat | Tproxy, brackets: boolean): string {
  const type = addressType(node.family);
  const isMap = typeof node.addr === 'object' && node.addr !== null && 'map' in node.addr;
  const where =
    node.addr === undefined ? '' : address(node.addr, isMap ? { parts: [type, port] } : type, brackets);
  return node.port === undefined ? where : `${where}:${format(node.port, port)}`;
}

const typeWords = { prefix: 'prefix', concat: 'addr . port', interval: 'interval' } as const;

function nat(word: string): (node: Nat | null) => string {
  return (node) => {
    if (node === null) return word;
    const [how] = listOf(node.type_flags);
    const to = target(node, node.port !== undefined);
    return words(word, to && node.family, to && how && typeWords[how], to && `to ${to}`, flagsText(node));
  };
}

/** One row for each translation, by its key in the JSON. */
export const translations: Readonly<Record<string, (node: never) => string>> = {
  snat: nat('snat'),
  dnat: nat('dnat'),
  masquerade: nat('masquerade'),
  redirect: nat('redirect'),
  tproxy: (node: Tproxy) => words('tproxy', node.family, `to ${target(node, true)}`),
};
