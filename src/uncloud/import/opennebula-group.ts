import type { Element } from '@xmldom/xmldom';
import {
  blocksOf,
  type ImportedGroup,
  type ImportedRule,
  icmpType,
  type Omission,
  whyNoRule,
} from './imported.ts';
import { children, strangers, textOf } from './xml.ts';

const PROTOCOLS: Readonly<Record<string, string | undefined>> = {
  TCP: 'tcp',
  UDP: 'udp',
  ICMP: 'icmp',
  ICMPV6: 'icmpv6',
  IPSEC: 'esp',
};

/** Where the addresses of the other end begin; a rule about a network has its ranges in it. */
const PEERS = ['IP', 'IP6', 'IP6_GLOBAL', 'IP6_ULA'] as const;

const RULE = [
  ...[
    'SECURITY_GROUP_ID',
    'SECURITY_GROUP_NAME',
    'RULE_TYPE',
    'PROTOCOL',
    'RANGE',
    'SIZE',
    'NETWORK_ID',
    'MAC',
  ],
  ...['ICMP_TYPE', 'ICMPV6_TYPE', 'TYPE', 'AR_ID', ...PEERS],
];

/**
 * The security groups that a VM's template has the rules of, by the names they get here. One without rules lets
 * nothing through.
 */
export function securityGroups(
  template: Element | undefined,
  where: string,
  omissions: Omission[],
): (name: string) => ImportedGroup {
  const rules = new Map<string, ImportedRule[]>();
  for (const element of children(template, 'SECURITY_GROUP_RULE')) {
    const id = textOf(element, 'SECURITY_GROUP_ID');
    if (id === undefined) continue;
    const found = ruleOf(element);
    const list = rules.get(`one-${id}`) ?? [];
    rules.set(`one-${id}`, list);
    if (typeof found !== 'string') list.push(found);
    else omissions.push({ where: `${where}, security group ${id}`, what: `${found}: the rule is left out` });
  }
  return (name) => ({ rules: rules.get(name) ?? [], default: { in: 'drop', out: 'drop' } });
}

/** Whether a group lets everything through, both ways: what OpenNebula's own default does. */
export function isOpen({ rules = [] }: ImportedGroup): boolean {
  const isAny = (direction: string) =>
    rules.some((rule) => rule.direction === direction && Object.keys(rule).length === 2);
  return isAny('in') && isAny('out');
}

/** A rule, or why it cannot be had: what is not understood must not open more than it did. */
function ruleOf(element: Element): ImportedRule | string {
  const [stranger] = strangers(element, RULE);
  if (stranger !== undefined) return `${stranger} is not known`;
  const word = textOf(element, 'PROTOCOL')?.toUpperCase() ?? 'ALL';
  const protocol = PROTOCOLS[word];
  if (protocol === undefined && word !== 'ALL') return `protocol ${word}`;
  const type = textOf(element, 'RULE_TYPE')?.toUpperCase();
  if (type !== 'INBOUND' && type !== 'OUTBOUND') return `RULE_TYPE ${type}`;
  const direction = type === 'INBOUND' ? 'in' : 'out';
  const size = textOf(element, 'SIZE') ?? '1';
  const first = PEERS.flatMap((name) => textOf(element, name) ?? []);
  if (!/^[1-9]\d*$/.test(size)) return `SIZE ${size}`;
  if (first.length === 0 && textOf(element, 'NETWORK_ID') !== undefined) return 'a network without addresses';
  const ports = textOf(element, 'RANGE')
    ?.split(',')
    .map((range) => range.trim().replace(':', '-'));
  const types = textOf(element, 'ICMP_TYPE') ?? textOf(element, 'ICMPV6_TYPE');
  let peers: string[];
  try {
    peers = first.flatMap((address) => blocksOf(address, BigInt(size)));
  } catch (error) {
    if (error instanceof TypeError) return error.message;
    throw error;
  }
  const rule: ImportedRule = {
    direction,
    action: 'accept',
    ...(protocol !== undefined && { protocol }),
    ...(ports !== undefined && { ports }),
    ...(types !== undefined && { types: [icmpType(types)] }),
    ...(peers.length > 0 && { [direction === 'in' ? 'from' : 'to']: peers }),
  };
  return whyNoRule(rule) ?? rule;
}
