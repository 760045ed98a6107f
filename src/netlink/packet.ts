import { datatype, fromBytes } from '../datatype/index.ts';
import { literal } from '../delinearize/constant.ts';
import type { Expression, Family, PacketHeaders, Statement } from '../model/index.ts';
import { findHeader, type Header, type HeaderField, nextHeader } from '../protocol/index.ts';

/** Fields in the order that nft tells them, of headers where it does not tell all in their own order. */
const TOLD: Readonly<Record<string, readonly string[]>> = {
  ether: ['saddr', 'daddr', 'type'],
  vlan: ['id', 'pcp', 'dei', 'type'],
  ip: ['saddr', 'daddr', 'dscp', 'ecn', 'ttl', 'id', 'protocol', 'length'],
  ip6: ['saddr', 'daddr', 'dscp', 'ecn', 'hoplimit', 'flowlabel', 'nexthdr', 'length'],
  arp: ['operation', 'saddr ether', 'saddr ip', 'daddr ether', 'daddr ip'],
  tcp: ['sport', 'dport', 'flags', 'window'],
};
const ARPHRD_ETHER = 1;
const NFPROTO: Readonly<Record<number, string>> = { 2: 'ip', 10: 'ip6' };

/** What is known of the packet beside its bytes. */
export interface PacketContext {
  readonly family: Family;
  readonly nfproto?: number | undefined;
  readonly iiftype?: number | undefined;
}

/**
 * A packet's headers as matches that it meets: `ip saddr 192.0.2.1`, `udp dport 53` … What belongs to no known
 * field is told as raw payload.
 */
export function describePacket(headers: PacketHeaders, context: PacketContext): Statement[] {
  const statements: Statement[] = [];
  let next: Header | undefined =
    NFPROTO[context.nfproto ?? 0] === undefined
      ? undefined
      : findHeader(NFPROTO[context.nfproto ?? 0] as string);
  if (context.family === 'ip' || context.family === 'ip6' || context.family === 'arp')
    next = findHeader(context.family);
  if (headers.link !== undefined) {
    const isEther = context.iiftype === undefined || context.iiftype === ARPHRD_ETHER;
    const after = describe(statements, 'll', headers.link, isEther ? findHeader('ether') : undefined);
    next ??= after;
  }
  const transport = headers.network && describe(statements, 'nh', headers.network, next);
  if (headers.transport !== undefined) describe(statements, 'th', headers.transport, transport);
  return statements;
}

type RawBase = 'll' | 'nh' | 'th';

/** Tells the fields of a header and of those behind it in the same layer; returns the next layer's. */
function describe(
  statements: Statement[],
  base: RawBase,
  bytes: Uint8Array,
  first: Header | undefined,
): Header | undefined {
  let at = 0;
  let header = first;
  for (;;) {
    if (header === undefined) break;
    const size = sizeOf(header, bytes.subarray(at));
    const part = bytes.subarray(at, at + size);
    if (part.length < size) break;
    for (const field of fieldsOf(header, part)) statements.push(match(header, field, part));
    at += size;
    const following = keyOf(header, part);
    if (following?.base !== header.base) {
      raw(statements, base, bytes, at);
      return following;
    }
    header = following;
  }
  raw(statements, base, bytes, at);
  return undefined;
}

/** Bytes that the header takes: up to the end of its last field, more where it has options. */
function sizeOf(header: Header, bytes: Uint8Array): number {
  const fixed = Math.ceil(
    Math.max(
      ...Object.values(header.fields)
        .filter((field) => applies(field, bytes))
        .map(({ offset, bits }) => offset + bits),
    ) / 8,
  );
  if (header.name === 'ip') return Math.max(fixed, ((bytes[0] ?? 0) & 0xf) * 4);
  return fixed;
}

/** Fields of an ICMP message are those of its type. */
function applies({ icmp }: HeaderField, bytes: Uint8Array): boolean {
  return icmp === undefined || icmp.includes(bytes[0] ?? -1);
}

function fieldsOf(header: Header, bytes: Uint8Array): HeaderField[] {
  const told = TOLD[header.name];
  if (told !== undefined) return told.map((name) => header.fields[name] as HeaderField);
  return Object.values(header.fields).filter((field) => field.name !== 'checksum' && applies(field, bytes));
}

function bitsOf({ offset, bits }: HeaderField, bytes: Uint8Array): bigint {
  const first = offset >> 3;
  const end = Math.ceil((offset + bits) / 8);
  const value = fromBytes(bytes.subarray(first, end), 'network') >> BigInt(end * 8 - offset - bits);
  return BigInt.asUintN(bits, value);
}

function match(header: Header, field: HeaderField, bytes: Uint8Array): Statement {
  const left = { payload: { protocol: header.name, field: field.name } } as Expression;
  const typed = { type: datatype(field.type), bits: field.bits, byteorder: field.byteorder };
  return {
    match: { left, op: '==', right: literal(bitsOf(field, bytes), typed, { numericProtocol: false }) },
  };
}

function keyOf(header: Header, bytes: Uint8Array): Header | undefined {
  const field = header.key === undefined ? undefined : header.fields[header.key];
  return field && nextHeader(header, Number(bitsOf(field, bytes)));
}

function raw(statements: Statement[], base: RawBase, bytes: Uint8Array, at: number): void {
  if (at >= bytes.length) return;
  const left = { payload: { base, offset: at * 8, len: (bytes.length - at) * 8 } };
  const value = fromBytes(bytes.subarray(at), 'network');
  const right = value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  statements.push({ match: { left, op: '==', right } });
}
