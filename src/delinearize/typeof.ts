import {
  CT_KEYS,
  EXTHDR_OPS,
  FIB_FLAGS,
  META_KEYS,
  RT_KEYS,
  type Typed,
  type Typeof,
} from '../bytecode/index.ts';
import { datatype } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import {
  type Extension,
  exthdrs,
  type Header,
  headers,
  ipOptions,
  sctpChunks,
  tcpOptions,
} from '../protocol/index.ts';
import type { Described } from './described.ts';
import { describeLoad } from './load.ts';
import { rawPayload } from './payload.ts';
import { ProtocolContext } from './protocol-context.ts';
import { Inexpressible, type LoadInstruction } from './term.ts';

/** enum proto_bases of nft's proto.h. */
const BASES = [undefined, 'link', 'network', 'transport', 'inner'] as const;
/** nft's number of "either direction". */
const NO_DIRECTION = 0xffffffff;

/** The expression of a `typeof`, and the types of its parts; undefined where it is not known. */
export function describeTypeof(
  value: Typeof,
): { readonly node: Expression; readonly parts: readonly Typed[] } | undefined {
  try {
    if (!('parts' in value)) {
      const { node, type, bits, byteorder } = describe(value.kind, value.numbers);
      return { node, parts: [{ type, bits, byteorder }] };
    }
    const parts = value.parts.map((part) => {
      if ('parts' in part) throw new Inexpressible('a concatenation in another');
      return describe(part.kind, part.numbers);
    });
    return {
      node: { concat: parts.map(({ node }) => node) },
      parts: parts.map(({ type, bits, byteorder }) => ({ type, bits, byteorder })),
    };
  } catch (error) {
    if (error instanceof Inexpressible) return undefined;
    throw error;
  }
}

type Numbers = Readonly<Record<string, number>>;

function describe(kind: Exclude<Typeof, { kind: 'concat' }>['kind'], numbers: Numbers): Described {
  if (kind === 'payload') return describePayload(numbers);
  if (kind === 'exthdr') return describeField(numbers);
  return describeLoad(asLoad(kind, numbers), new ProtocolContext('inet'));
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Inexpressible('a number that is not known');
  return value;
}

function describePayload({ header: id, field: index, base, offset, length }: Numbers): Described {
  if (base !== undefined && offset !== undefined && length !== undefined) {
    return rawPayload({ kind: 'payload', base: known(BASES[base]), offset, bits: length, from: [] });
  }
  const header = known((Object.values(headers) as Header[]).find((entry) => entry.id === id));
  const field = known(Object.values(header.fields).find((entry) => entry.index === index));
  return {
    node: { payload: { protocol: header.name, field: field.name } } as Expression,
    type: datatype(field.type),
    bits: field.bits,
    byteorder: field.byteorder,
  };
}

const EXTENSIONS: Readonly<Record<string, readonly [key: string, Readonly<Record<string, Extension>>]>> = {
  ipv6: ['exthdr', exthdrs],
  tcpopt: ['tcp option', tcpOptions],
  ipv4: ['ip option', ipOptions],
  sctp: ['sctp chunk', sctpChunks],
};

/** IPv6 extension headers go by nft's number, everything else by the number that the packet has. */
function describeField({ header: id, field: index, op }: Numbers): Described {
  const [key, table] = known(EXTENSIONS[EXTHDR_OPS[op ?? 0] ?? '']);
  for (const entry of Object.values(table)) {
    const field = Object.values(entry.fields).find((candidate) => candidate.index === index);
    if ((key === 'exthdr' ? entry.id : entry.type) !== id || field === undefined) continue;
    return {
      node: { [key]: { name: entry.name, field: field.name } } as unknown as Expression,
      type: datatype(field.type),
      bits: field.bits,
      byteorder: field.byteorder,
    };
  }
  throw new Inexpressible('no such field');
}

const dreg = 0;

/** The instruction that loads what the numbers say. */
function asLoad(kind: string, numbers: Numbers): LoadInstruction {
  const { key = 0, type = 0, mod: modulus = 0, offset = 0 } = numbers;
  switch (kind) {
    case 'meta':
      return { name: 'meta', dreg, key: known(META_KEYS[key]) };
    case 'ct': {
      const direction = (['original', 'reply'] as const)[numbers.direction ?? NO_DIRECTION];
      return { name: 'ct', dreg, key: known(CT_KEYS[key]), ...(direction && { direction }) };
    }
    case 'rt':
      return { name: 'rt', dreg, key: known(RT_KEYS[key]) };
    case 'socket':
      return {
        name: 'socket',
        dreg,
        key: known((['transparent', 'mark', 'wildcard', 'cgroupv2'] as const)[key]),
        ...(numbers.level === undefined ? {} : { level: numbers.level }),
      };
    case 'osf':
      return { name: 'osf', dreg };
    case 'fib': {
      const result = known(([undefined, 'oif', 'oifname', 'type'] as const)[numbers.result ?? 0]);
      const flags = numbers.flags ?? 0;
      if (flags >= 1 << FIB_FLAGS.length) throw new Inexpressible('unknown flags');
      return { name: 'fib', dreg, result, flags };
    }
    case 'numgen':
      return { name: 'numgen', dreg, modulus, offset, type: known((['inc', 'random'] as const)[type]) };
    case 'xfrm': {
      const what = known(([undefined, 'daddr4', 'daddr6', 'saddr4', 'saddr6', 'reqid', 'spi'] as const)[key]);
      const dir = known((['in', 'out'] as const)[numbers.dir ?? 0]);
      return { name: 'xfrm', dreg, key: what, dir, spnum: numbers.spnum ?? 0 };
    }
    case 'hash':
      // nft does not write what a Jenkins hash is of.
      if (type !== 1) break;
      return { name: 'hash', dreg, modulus, offset, type: 'sym' };
  }
  throw new Inexpressible(`typeof ${kind}`);
}
