import { CT_KEYS, EXTHDR_OPS, type Instruction, META_KEYS, RT_KEYS, type Typeof } from '../bytecode/index.ts';
import {
  type Extension,
  exthdrs,
  type Header,
  type HeaderField,
  headers,
  ipOptions,
  payloadBases,
  sctpChunks,
  tcpOptions,
} from '../protocol/index.ts';
import type { Concat, Expr, Exthdr, Payload } from './expr.ts';

/** What nft notes of a map of verdicts. */
export const VERDICTS: Typeof = { kind: 'verdict', numbers: {} };

/** What nft notes of a concatenation that has a part without a note of its own: that it is one. */
export const EMPTY_CONCAT: Typeof = { kind: 'concat', parts: [] };

/**
 * What nft notes in the userdata of an anonymous set of the expression that is looked up in it. Bits that have
 * to be computed first have no note, if they stand alone or are shifted, nor have the keys of maps,
 * concatenations excepted.
 */
export function typeofLookup(key: Expr, isMap: boolean): Typeof | undefined {
  return key.kind === 'concat' || !isMap ? typeofExpr(key, false) : undefined;
}

/** The same of a set that is declared with `typeof`, where fields of single bits count as what they are. */
export function typeofDeclared(expr: Expr): Typeof | undefined {
  return typeofExpr(expr, true);
}

function typeofExpr(expr: Expr, declared: boolean): Typeof | undefined {
  switch (expr.kind) {
    case 'concat':
      return typeofConcat(expr, declared);
    case 'verdict':
      return VERDICTS;
    case 'payload':
      return typeofPayload(expr);
    case 'exthdr':
      return typeofField(expr, expr.offset, expr.bits);
    case 'load':
      return typeofLoad(expr.load(0));
    case 'binop':
      return declared ? typeofBits(expr, expr.limit ?? expr.bits) : undefined;
    default:
      return undefined;
  }
}

/** nft notes the parts before the first one that has no note. */
function typeofConcat({ parts }: Concat, declared: boolean): Typeof {
  const described: Typeof[] = [];
  for (const part of parts) {
    const note = typeofExpr(declared ? part : unmasked(part), declared);
    if (note === undefined) break;
    described.push(note);
  }
  return { kind: 'concat', parts: described };
}

/** What is calculated is noted as what it is calculated from, unless it is shifted. */
function unmasked(expr: Expr): Expr {
  return expr.kind === 'binop' && expr.op !== 'rshift' && expr.op !== 'lshift' ? expr.left : expr;
}

/** A field that shares its bytes with others: the load under the mask, the swap and the shift. */
function typeofBits(expr: Expr, bits: number): Typeof | undefined {
  switch (expr.kind) {
    case 'payload':
      return typeofPayload(expr);
    case 'exthdr':
      return typeofField(expr, expr.offset, bits);
    case 'binop':
      return typeofBits(expr.left, bits);
    case 'byteorder':
      return typeofBits(expr.arg, bits);
    default:
      return undefined;
  }
}

/**
 * By header and field, or by where it is; numbers also tell their width. enum proto_bases has one more than the
 * kernel's.
 */
function typeofPayload({ base, offset, bits, header, field, tunnel }: Payload): Typeof | undefined {
  if (tunnel !== undefined) return undefined;
  if (header === undefined || field === undefined) {
    return {
      kind: 'payload',
      numbers: { header: 0, field: 0, base: payloadBases[base] + 1, offset, length: bits },
    };
  }
  const { id, fields } = headers[header as keyof typeof headers] as Header;
  const layout = fields[field] as HeaderField;
  const length: Readonly<Record<string, number>> = layout.type === 'integer' ? { length: layout.bits } : {};
  return { kind: 'payload', numbers: { header: id, field: layout.index, ...length } };
}

const EXTENSIONS: Readonly<Record<string, Readonly<Record<string, Extension>>>> = {
  ipv6: exthdrs,
  tcpopt: tcpOptions,
  ipv4: ipOptions,
  sctp: sctpChunks,
};

/** IPv6 extension headers go by nft's number, everything else by the number that the packet has. */
function typeofField({ op, number, present }: Exthdr, offset: number, bits: number): Typeof | undefined {
  for (const extension of Object.values(EXTENSIONS[op] ?? {})) {
    if (present || extension.type !== number) continue;
    const field = Object.values(extension.fields).find((one) => one.offset === offset && one.bits === bits);
    const header = extension.id ?? extension.type;
    if (field !== undefined) {
      const others: Readonly<Record<string, number>> = op === 'ipv6' ? {} : { op: EXTHDR_OPS.indexOf(op) };
      return { kind: 'exthdr', numbers: { field: field.index, ...others, header } };
    }
  }
  return undefined;
}

/** nft's number of "either direction". */
const NO_DIRECTION = 0xffffffff;

function typeofLoad(load: Instruction): Typeof | undefined {
  switch (load.name) {
    case 'meta':
      return { kind: 'meta', numbers: { key: META_KEYS.indexOf(load.key) } };
    case 'ct': {
      const direction =
        load.direction === undefined ? NO_DIRECTION : ['original', 'reply'].indexOf(load.direction);
      return { kind: 'ct', numbers: { key: CT_KEYS.indexOf(load.key), direction } };
    }
    case 'rt':
      return { kind: 'rt', numbers: { key: RT_KEYS.indexOf(load.key) } };
    case 'socket': {
      const key = ['transparent', 'mark', 'wildcard', 'cgroupv2'].indexOf(load.key);
      return { kind: 'socket', numbers: load.key === 'cgroupv2' ? { key, level: load.level ?? 0 } : { key } };
    }
    case 'osf':
      return { kind: 'osf', numbers: {} };
    case 'fib': {
      const result = ['unspec', 'oif', 'oifname', 'type'].indexOf(load.result);
      return { kind: 'fib', numbers: { result, flags: load.flags } };
    }
    case 'numgen': {
      const type = load.type === 'inc' ? 0 : 1;
      return { kind: 'numgen', numbers: { type, mod: load.modulus, offset: load.offset ?? 0 } };
    }
    case 'xfrm': {
      const key = ['unspec', 'daddr4', 'daddr6', 'saddr4', 'saddr6', 'reqid', 'spi'].indexOf(load.key);
      return { kind: 'xfrm', numbers: { key, spnum: load.spnum ?? 0, dir: load.dir === 'in' ? 0 : 1 } };
    }
    default:
      return undefined;
  }
}
