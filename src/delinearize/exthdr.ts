import type { InstructionNamed } from '../bytecode/index.ts';
import { datatype } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import {
  type Extension,
  exthdrs,
  type FieldLayout,
  headers,
  ipOptions,
  sctpChunks,
  tcpOptions,
} from '../protocol/index.ts';
import type { Described } from './described.ts';
import { Inexpressible } from './term.ts';

type Op = NonNullable<InstructionNamed<'exthdr'>['op']>;

interface Kind {
  readonly key: string;
  readonly table: Readonly<Record<string, Extension>>;
  /** The header that carries it. */
  readonly carrier: keyof typeof headers;
}

/** Layouts of routing headers overlap; segment routing is the one that is alive (RFC 5095). */
function routingOrder({ rt0, rt2, ...rest }: typeof exthdrs): Readonly<Record<string, Extension>> {
  return { ...rest, ...(rt0 && { rt0 }), ...(rt2 && { rt2 }) };
}

const KINDS: Readonly<Record<Op, Kind>> = {
  ipv6: { key: 'exthdr', table: routingOrder(exthdrs), carrier: 'ip6' },
  tcpopt: { key: 'tcp option', table: tcpOptions, carrier: 'tcp' },
  ipv4: { key: 'ip option', table: ipOptions, carrier: 'ip' },
  sctp: { key: 'sctp chunk', table: sctpChunks, carrier: 'sctp' },
  dccp: { key: 'dccp option', table: {}, carrier: 'dccp' },
};

const BOOLEAN = { type: datatype('boolean'), bits: 8, byteorder: 'network' } as const;

function kindOf({ op }: InstructionNamed<'exthdr'>): Kind {
  return KINDS[op ?? 'ipv6'];
}

/** The header that the packet must have for the instruction to find anything. */
export function carrierOf(instruction: InstructionNamed<'exthdr'>) {
  return headers[kindOf(instruction).carrier];
}

/** What an exthdr instruction reads or writes: a field by name, or whether the whole is there. */
export function describeExthdr(instruction: InstructionNamed<'exthdr'>): Described {
  const { key, table } = kindOf(instruction);
  const { type, flags = 0, offset = 0, len = 0 } = instruction;
  if (flags > 1) throw new Inexpressible('unknown flags');
  if (flags === 1) return { ...BOOLEAN, node: presence(key, table, type, offset) };
  const fields = fieldsIn(table, type);
  const found = fields.find(({ field }) => field.offset === offset * 8 && field.bits === len * 8);
  if (found) return field(key, found.name, found.field);
  if (key === 'tcp option') {
    const node = { 'tcp option': { base: type, offset: offset * 8, len: len * 8 } };
    return { node, type: datatype('integer'), bits: len * 8, byteorder: 'network' };
  }
  throw new Inexpressible('no field lies there');
}

/** The field behind a mask: `bits` from `lead` on within the loaded bytes. */
export function maskedExthdr(
  instruction: InstructionNamed<'exthdr'>,
  lead: number,
  bits: number,
): Described | undefined {
  const { key, table } = kindOf(instruction);
  if (instruction.flags) return undefined;
  const at = (instruction.offset ?? 0) * 8 + lead;
  const found = fieldsIn(table, instruction.type).find(({ field: f }) => f.offset === at && f.bits === bits);
  return found && field(key, found.name, found.field);
}

function fieldsIn(table: Kind['table'], type: number): { name: string; field: FieldLayout }[] {
  return Object.values(table)
    .filter((entry) => entry.type === type)
    .flatMap((entry) => Object.values(entry.fields).map((f) => ({ name: entry.name, field: f })));
}

function field(key: string, name: string, layout: FieldLayout): Described {
  return {
    node: { [key]: { name, field: layout.name } } as unknown as Expression,
    type: datatype(layout.type),
    bits: layout.bits,
    byteorder: layout.byteorder,
  };
}

function presence(key: string, table: Kind['table'], type: number, offset: number): Expression {
  if (offset !== 0) throw new Inexpressible('presence has no offset');
  if (key === 'dccp option') return { 'dccp option': { type } };
  const entry = Object.values(table).find((extension) => extension.type === type);
  if (entry !== undefined) return { [key]: { name: entry.name } } as unknown as Expression;
  if (key === 'tcp option') return { 'tcp option': { base: type, offset: 0, len: 8 } };
  throw new Inexpressible(`no ${key} has the number ${type}`);
}
