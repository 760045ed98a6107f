import { isIPv4, isIPv6 } from 'node:net';

/** A CIDR block: `value` has no bits set behind `length`. */
export interface Prefix {
  readonly family: 'ip' | 'ip6';
  readonly value: bigint;
  readonly length: number;
}

/** A block with the text of its address. */
export interface Block extends Prefix {
  readonly text: string;
}

/** Bits of an address of each family. */
export const WIDTH = { ip: 32, ip6: 128 } as const;

/** Characters of addresses. */
const DOT = 0x2e;
const ZERO = 0x30;

const MASKS = {
  ip: Array.from({ length: 33 }, (_, length) => ((1n << BigInt(length)) - 1n) << BigInt(32 - length)),
  ip6: Array.from({ length: 129 }, (_, length) => ((1n << BigInt(length)) - 1n) << BigInt(128 - length)),
};

/** Blocks that no VM can own, not even in part. */
const FORBIDDEN = [
  ['0.0.0.0/8', 'unspecified'],
  ['127.0.0.0/8', 'loopback'],
  ['224.0.0.0/4', 'multicast'],
  ['255.255.255.255/32', 'broadcast'],
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['::ffff:0:0/96', 'IPv4-mapped'],
  ['ff00::/8', 'multicast'],
].map(([text, what]) => ({ block: cidr(text as string), what }));

const LINK_LOCAL: Prefix = { family: 'ip6', value: 0xfe80n << 112n, length: 10 };

/** The block's mask as a number. */
export function mask(family: Prefix['family'], length: number): bigint {
  return MASKS[family][length] as bigint;
}

/** The length of the prefix that a mask in text is of. */
export function maskLength(text: string): number {
  return address(text).value.toString(2).replace(/0+$/, '').length;
}

/** `value` without the bits behind `length`. */
export function truncate(family: Prefix['family'], value: bigint, length: number): bigint {
  return value & mask(family, length);
}

/** Whether two blocks have an address in common. */
export function overlap(a: Prefix, b: Prefix): boolean {
  if (a.family !== b.family) return false;
  const length = Math.min(a.length, b.length);
  return truncate(a.family, a.value, length) === truncate(b.family, b.value, length);
}

/** An address in canonical text (RFC 5952). */
export function addressText(family: Prefix['family'], value: bigint): string {
  if (family === 'ip') {
    const number = Number(value);
    return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;
  }
  const hex = value.toString(16).padStart(32, '0');
  const groups = Array.from({ length: 8 }, (_, i) => Number.parseInt(hex.slice(4 * i, 4 * i + 4), 16));
  if (value >> 32n === 0xffffn) return `::ffff:${addressText('ip', value & 0xffffffffn)}`;
  let [start, length] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) [start, length] = [i, end - i];
    if (end > i) i = end;
  }
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  return start < 0 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/** A block in canonical text: `10.0.0.0/8`, `2001:db8::1/128`. */
export function prefixText({ family, value, length }: Prefix): string {
  return `${addressText(family, value)}/${length}`;
}

function ip4(text: string): number {
  let [number, part] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) [number, part] = [number * 256 + part, 0];
    else part = part * 10 + code - ZERO;
  }
  return number * 256 + part;
}

/** The groups of a part of an IPv6 address, which may end in an IPv4 address, as numbers of 16 bits. */
function groupsOf(text: string): number[] {
  if (text === '') return [];
  const groups: number[] = [];
  for (const group of text.split(':')) {
    if (group.includes('.')) {
      const number = ip4(group);
      groups.push(Math.floor(number / 65536), number % 65536);
    } else groups.push(Number.parseInt(group, 16));
  }
  return groups;
}

function ip6(text: string): bigint {
  const gap = text.indexOf('::');
  const before = groupsOf(gap < 0 ? text : text.slice(0, gap));
  const after = gap < 0 ? [] : groupsOf(text.slice(gap + 2));
  const at = (i: number): number => (i < before.length ? before[i] : after[i - 8 + after.length]) ?? 0;
  const half = (i: number) =>
    (BigInt(at(i) * 2 ** 16 + at(i + 1)) << 32n) | BigInt(at(i + 2) * 2 ** 16 + at(i + 3));
  return (half(0) << 64n) | half(4);
}

function address(text: string): { family: Prefix['family']; value: bigint } {
  if (isIPv4(text)) return { family: 'ip', value: BigInt(ip4(text)) };
  if (!isIPv6(text) || text.includes('%')) throw new TypeError('not an address');
  return { family: 'ip6', value: ip6(text) };
}

/**
 * Reads `ADDRESS/LENGTH`.
 *
 * @throws TypeError for anything else, and where bits behind the length are set
 */
export function cidr(text: string): Prefix {
  const [, head, tail] = /^([^/]{1,45})\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  if (head === undefined) throw new TypeError('not a CIDR block (ADDRESS/LENGTH)');
  const { family, value } = address(head);
  const length = Number(tail);
  if (length > WIDTH[family]) throw new TypeError(`a prefix length over ${WIDTH[family]}`);
  if (truncate(family, value, length) !== value) throw new TypeError('bits set behind the prefix length');
  return { family, value, length };
}

/**
 * Reads a block that a VM may own: canonical, not everything, and not even in part multicast, loopback,
 * unspecified, broadcast or IPv4-mapped.
 *
 * @throws TypeError saying what is wrong
 */
export function ownable(text: string, family: Prefix['family']): Prefix {
  const prefix = cidr(text);
  if (prefix.family !== family) throw new TypeError(family === 'ip' ? 'not IPv4' : 'not IPv6');
  if (prefix.length === 0) throw new TypeError('a prefix length of 0 is everything');
  const clash = FORBIDDEN.find(({ block }) => overlap(block, prefix));
  if (clash) throw new TypeError(`${clash.what} addresses belong to nobody`);
  return prefix;
}

/**
 * Reads a link-local address, with `/128` or without.
 *
 * @throws TypeError saying what is wrong
 */
export function linkLocal(text: string): Prefix {
  const prefix = cidr(text.includes('/') ? text : `${text}/128`);
  if (prefix.length !== 128 || !overlap(LINK_LOCAL, prefix)) {
    throw new TypeError('not a link-local address (fe80::/10)');
  }
  return prefix;
}

/** All link-local addresses. */
export const anyLinkLocal = LINK_LOCAL;

/** The link-local address made from a MAC (RFC 4291, appendix A). */
export function eui64(mac: string): Prefix {
  const digits = mac.replaceAll(':', '');
  const id = BigInt(`0x${digits.slice(0, 6)}fffe${digits.slice(6)}`) ^ (2n << 56n);
  return { family: 'ip6', value: (0xfe80n << 112n) | id, length: 128 };
}

/** Orders blocks: longest prefix first, then by address. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  return b.length - a.length || (a.value < b.value ? -1 : a.value > b.value ? 1 : 0);
}

/** What belongs to each block, by prefix length, longest first. */
export function byLength<T>(entries: Iterable<readonly [Prefix, T]>): [length: number, T[]][] {
  const lengths = new Map<number, T[]>();
  for (const [{ length }, value] of entries) {
    const values = lengths.get(length);
    if (values) values.push(value);
    else lengths.set(length, [value]);
  }
  return [...lengths].sort(([a], [b]) => b - a);
}

/** Reads a block with its text, which has to be canonical. */
export function block(text: string): Block {
  return { ...cidr(text), text: text.slice(0, text.indexOf('/')) };
}

/** What validated lists were read as: they are looked at again and again. */
const known = new WeakMap<readonly string[], readonly Block[]>();

/** The canonical texts of blocks, each once, longest prefix first. */
export function blockTexts(prefixes: readonly Prefix[]): readonly string[] {
  const texts: string[] = [];
  const blocks: Block[] = [];
  for (const prefix of [...prefixes].sort(comparePrefixes)) {
    const last = blocks.at(-1);
    if (last && comparePrefixes(last, prefix) === 0) continue;
    const { family, value, length } = prefix;
    const text = addressText(family, value);
    texts.push(`${text}/${length}`);
    blocks.push({ family, value, length, text });
  }
  known.set(texts, blocks);
  return texts;
}

/** A list of canonical texts as blocks. */
export function blocksIn(texts: readonly string[]): readonly Block[] {
  return known.get(texts) ?? texts.map(block);
}
