import {
  ATTRIBUTE_HEADER,
  attributeId,
  attributeLength,
  behind,
  readString,
  WireError,
} from '../wire/attribute-reader.ts';
import { AttributeWriter } from '../wire/attribute-writer.ts';
import {
  type Codec,
  decode,
  encode,
  field,
  list,
  oneOf,
  optional,
  type Schema,
  string,
  u32,
  u64,
} from '../wire/schema.ts';
import * as compute from './compute.ts';
import { define, hex, type InstructionDefinition, type InstructionOf } from './define.ts';
import * as load from './load.ts';
import * as nat from './nat.ts';
import type { Opaque } from './opaque.ts';
import { register } from './register.ts';
import * as statement from './statement.ts';

const NFTA_LIST_ELEM = 1;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;

/** An instruction inside another one. Its full type is {@link Instruction}, which would be circular. */
export interface Nested {
  readonly name: string;
}

/** One instruction: NFTA_EXPR_NAME and NFTA_EXPR_DATA in a nest. */
export const expression: Codec<Nested> = {
  write(writer, id, instruction) {
    writer.begin(id);
    writeInstruction(writer, instruction as Instruction);
    writer.end();
  },
  read: (bytes, start, end) => readInstruction(bytes, start, end),
};

/** A nest that lists instructions, as NFTA_RULE_EXPRESSIONS does. */
export const expressions: Codec<readonly Nested[]> = list(NFTA_LIST_ELEM, expression);

/** Finds the key at `sreg` in a set; puts the element's data into `dreg`. Flag 1 inverts. */
export const lookup = define(
  'lookup',
  {
    set: field(1, string),
    sreg: field(2, register),
    dreg: optional(3, register),
    setId: optional(4, u32),
    flags: optional(5, u32),
  },
  (i) =>
    `reg ${i.sreg} set ${i.set}${i.dreg === undefined ? '' : ` dreg ${i.dreg}`}${i.flags ? ` ${hex(i.flags)}` : ''}`,
);

/**
 * Adds, updates or deletes an element from the packet path. `timeout` is in milliseconds; flag 1
 * inverts, flag 2 says that `expressions` stand in for `expression`.
 */
export const dynset = define(
  'dynset',
  {
    set: field(1, string),
    setId: optional(2, u32),
    op: field(3, oneOf(['add', 'update', 'delete'])),
    sregKey: field(4, register),
    sregData: optional(5, register),
    timeout: optional(6, u64),
    expression: optional(7, expression),
    flags: optional(9, u32),
    expressions: optional(10, expressions),
  },
  (i) => {
    const parts = [`${i.op} reg_key ${i.sregKey} set ${i.set}`];
    if (i.sregData !== undefined) parts.push(`sreg_data ${i.sregData}`);
    if (i.timeout !== undefined) parts.push(`timeout ${i.timeout}ms`);
    for (const nested of i.expressions ?? (i.expression ? [i.expression] : [])) {
      parts.push(`expr ${nestedText(nested)}`);
    }
    return parts.join(' ');
  },
);

/** Refers to a stateful object: one by name, or the one that a map gives for the key at `sreg`. */
export const objref = define(
  'objref',
  {
    type: optional(1, u32),
    object: optional(2, string),
    sreg: optional(3, register),
    set: optional(4, string),
    setId: optional(5, u32),
  },
  (i) => (i.sreg === undefined ? `type ${i.type} name ${i.object}` : `sreg ${i.sreg} set ${i.set}`),
);

/** Runs one load inside a tunnelled packet (Linux 6.2). */
export const inner = define(
  'inner',
  {
    num: optional(1, u32),
    type: field(2, u32),
    flags: field(3, u32),
    hdrsize: field(4, u32),
    expression: field(5, expression),
  },
  (i) => `type ${i.type} hdrsize ${i.hdrsize} flags ${i.flags.toString(16)} ${nestedText(i.expression)}`,
);

const table = {
  ...compute,
  ...load,
  ...nat,
  ...statement,
  lookup,
  dynset,
  objref,
  inner,
} as const;

/** Any instruction of the nf_tables machine, as a plain value. */
export type Instruction = InstructionOf<(typeof table)[keyof typeof table]> | Opaque;

/** The instruction of one name. */
export type InstructionNamed<N extends Instruction['name']> = Extract<Instruction, { readonly name: N }>;

/** Every instruction, by the kernel's name. */
export const instructions: ReadonlyMap<string, InstructionDefinition<string, Schema>> = new Map(
  Object.values(table)
    .filter((row) => !Array.isArray(row))
    .map((row) => [(row as InstructionDefinition).name, row as unknown as InstructionDefinition]),
);

/** Writes NFTA_EXPR_NAME and NFTA_EXPR_DATA. */
export function writeInstruction(writer: AttributeWriter, instruction: Instruction): void {
  if (instruction.name === 'opaque') {
    writer.string(NFTA_EXPR_NAME, instruction.expression);
    if (instruction.data === undefined) return;
    writer.begin(NFTA_EXPR_DATA);
    writer.append(instruction.data);
    writer.end();
    return;
  }
  const definition = instructions.get(instruction.name);
  if (definition === undefined) throw new WireError(`no such instruction: ${(instruction as Nested).name}`);
  writer.string(NFTA_EXPR_NAME, instruction.name);
  writer.begin(NFTA_EXPR_DATA);
  encode(definition.schema, instruction as never, writer);
  writer.end();
}

/** The bytes of NFTA_EXPR_DATA; undefined where there are none. */
export function instructionData(instruction: Instruction): Uint8Array | undefined {
  if (instruction.name === 'opaque') return instruction.data;
  const definition = instructions.get(instruction.name);
  if (definition === undefined) throw new WireError(`no such instruction: ${(instruction as Nested).name}`);
  const writer = new AttributeWriter();
  encode(definition.schema, instruction as never, writer);
  return writer.bytes().slice();
}

/** Reads one instruction; what it cannot read whole comes back as {@link Opaque}. */
export function readInstruction(bytes: Uint8Array, start = 0, end: number = bytes.length): Instruction {
  let name = '';
  let dataStart = end;
  let dataEnd = -1;
  for (let at = start; at < end; ) {
    const length = attributeLength(bytes, at, end);
    const id = attributeId(bytes, at);
    if (id === NFTA_EXPR_NAME) name = readString(bytes, at + ATTRIBUTE_HEADER, at + length);
    else if (id === NFTA_EXPR_DATA) {
      dataStart = at + ATTRIBUTE_HEADER;
      dataEnd = at + length;
    }
    at = behind(at, length);
  }
  const definition = instructions.get(name);
  if (definition !== undefined) {
    try {
      return {
        name,
        ...decode(definition.schema, bytes, dataStart, Math.max(dataStart, dataEnd)),
      } as Instruction;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }
  const data = dataEnd < 0 ? undefined : bytes.slice(dataStart, dataEnd);
  return { name: 'opaque', expression: name, data };
}

/** An instruction that was kept as bytes, as what it is where that is known. */
export function understood(instruction: Instruction): Instruction {
  if (instruction.name !== 'opaque') return instruction;
  const writer = new AttributeWriter(64);
  writeInstruction(writer, instruction);
  return readInstruction(writer.bytes().slice());
}

function nestedText(nested: Nested): string {
  return instructionText(nested as Instruction);
}

/** An instruction in libnftnl's notation: `[ cmp eq reg 1 0x00000008 ]`. */
export function instructionText(instruction: Instruction): string {
  if (instruction.name === 'opaque') return `[ ${instruction.expression} ]`;
  const text = instructions.get(instruction.name)?.text(instruction as never) ?? '';
  return text === '' ? `[ ${instruction.name} ]` : `[ ${instruction.name} ${text} ]`;
}
