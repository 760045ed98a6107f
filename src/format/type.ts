import { type DatatypeName, datatypes } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import {
  ctKeys,
  type Extension,
  exthdrs,
  fibResults,
  type Header,
  headers,
  ipOptions,
  ipsecKeys,
  metaAliases,
  metaKeys,
  rtKeys,
  sctpChunks,
  socketKeys,
  tcpOptions,
  tunnelKeys,
} from '../protocol/index.ts';
import type { ScalarType } from './literal.ts';

/** What a value is written as: by a datatype, part by part in a concatenation, or unknown. */
export type ValueType = ScalarType | { readonly parts: readonly ValueType[] } | undefined;

type Row = { readonly type: DatatypeName; readonly bits: number };
type Node = Readonly<Record<string, unknown>>;

function scalar(row: Row | undefined): ValueType {
  return row && { type: datatypes[row.type], bits: row.bits || datatypes[row.type].bits };
}

/** A type by its name. */
export function namedType(type: string): ValueType {
  return Object.hasOwn(datatypes, type) ? scalar({ type: type as DatatypeName, bits: 0 }) : undefined;
}

function find<T>(table: Readonly<Record<string, T>>, key: unknown): T | undefined {
  return typeof key === 'string' && Object.hasOwn(table, key) ? table[key] : undefined;
}

function extensionField(table: Readonly<Record<string, Extension>>): (node: Node) => ValueType {
  return ({ name, field, base, len }) => {
    if (base !== undefined) return scalar({ type: 'integer', bits: Number(len) });
    if (field === undefined) return namedType('boolean');
    return scalar(find(find(table, name)?.fields ?? {}, field));
  };
}

function payload({ protocol, field, base, len }: Node): ValueType {
  if (base !== undefined) return scalar({ type: 'xinteger', bits: Number(len) });
  return scalar(find(find<Header>(headers, protocol)?.fields ?? {}, field));
}

function ct({ key, family }: Node): ValueType {
  const selector = find(ctKeys, family === undefined ? key : `${family} ${key}`);
  if (selector !== undefined && 'depends' in selector && selector.depends !== undefined) {
    return selector.depends === 'port' ? namedType('inet_service') : undefined;
  }
  return scalar(selector);
}

/** After a shift a value has no symbols any more; a mark stays a mark. */
function shifted(operands: readonly Expression[]): ValueType {
  const type = typeOf(operands[0]);
  if (type === undefined || 'parts' in type || type.type.symbols === undefined) return type;
  return type.type.name === 'mark' ? type : namedType('xinteger');
}

function operands(list: readonly Expression[]): ValueType {
  for (const operand of list) {
    const type = typeOf(operand);
    if (type !== undefined) return type;
  }
  return undefined;
}

function concat(parts: readonly Expression[]): ValueType {
  return { parts: parts.map(typeOf) };
}

const integer = () => namedType('integer');

/** One row for each kind of expression that has a type of its own, by its key in the JSON. */
const types: Readonly<Record<string, (node: never) => ValueType>> = {
  payload,
  exthdr: extensionField(exthdrs),
  'tcp option': extensionField(tcpOptions),
  'ip option': extensionField(ipOptions),
  'sctp chunk': extensionField(sctpChunks),
  'dccp option': () => namedType('boolean'),
  meta: ({ key }: Node) => scalar(find(metaKeys, find(metaAliases, key) ?? key)),
  ct,
  rt: ({ key, family }: Node) => scalar(find(rtKeys, family ? `${family} ${key}` : key)),
  fib: ({ result }: Node) => scalar(find(fibResults, result)),
  socket: ({ key }: Node) => scalar(find(socketKeys, key)),
  osf: () => namedType('string'),
  ipsec: ({ key, family }: Node) => scalar(find(ipsecKeys, family ? `${family} ${key}` : key)),
  tunnel: ({ key }: Node) => scalar(find(tunnelKeys, key)),
  numgen: integer,
  jhash: integer,
  symhash: integer,
  '&': operands,
  '|': operands,
  '^': operands,
  '<<': shifted,
  '>>': shifted,
  concat,
  elem: ({ val }: Node) => typeOf(val as Expression),
};

/** The type of an expression's value, as far as the expression tells: what it is compared with has it too. */
export function typeOf(expression: Expression | undefined): ValueType {
  if (typeof expression !== 'object' || expression === null) return undefined;
  const [[kind, node] = []] = Object.entries(expression);
  const type = kind === undefined ? undefined : find(types, kind);
  return type?.(node as never);
}
