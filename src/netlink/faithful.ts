import {
  instructions as definitions,
  type Instruction,
  type KnownSet,
  SET_FLAGS,
  type SetDeclaration,
} from '../bytecode/index.ts';
import { CompileError, compileRule } from '../linearize/index.ts';
import type { Chain, Family, Statement } from '../model/index.ts';
import { readAttributes } from '../wire/attribute-reader.ts';
import { AttributeWriter } from '../wire/attribute-writer.ts';
import { encode } from '../wire/schema.ts';

/** What a rule that was read stands among. */
export interface RulePlace {
  readonly family: Family;
  readonly chain: Chain;
  set(name: string): KnownSet | undefined;
}

/** Whether compiling what was read gives instructions that do the same again. */
export function isFaithful(
  statements: readonly Statement[],
  instructions: readonly Instruction[],
  place: RulePlace,
): boolean {
  let id = 0;
  const names = {
    set: (name: string) => place.set(name) as SetDeclaration | undefined,
    nextSetId: () => ++id,
  };
  try {
    const compiled = compileRule(statements, place.family, place.chain, names).instructions;
    return (
      compiled.length === instructions.length &&
      compiled.every(
        (instruction, i) => essence(instruction, place) === essence(instructions[i] as Instruction, place),
      )
    );
  } catch (error) {
    if (error instanceof CompileError) return false;
    throw error;
  }
}

/**
 * What an instruction does, as text. The kernel fills in what a program leaves out, so attributes that say
 * what their absence says are left out; and anonymous sets have names and numbers by chance.
 */
function essence(instruction: Instruction, place: RulePlace): string {
  if (instruction.name === 'opaque') {
    return `${instruction.expression} ${Buffer.from(instruction.data ?? []).toString('hex')}`;
  }
  const plain = withoutDefaults(withoutChance(instruction, place));
  const schema = definitions.get(plain.name)?.schema ?? {};
  const implied = new Set(
    Object.values(schema)
      .filter((field) => field.optional)
      .map((field) => field.id),
  );
  const writer = new AttributeWriter(128);
  encode(schema, plain as never, writer);
  const told = readAttributes(writer.bytes())
    .filter(({ id, payload }) => !(implied.has(id) && payload.every((byte) => byte === 0)))
    .map(({ id, payload }) => `${id}=${Buffer.from(payload).toString('hex')}`);
  return `${plain.name} ${told.join(' ')}`;
}

function withoutChance(instruction: Instruction, place: RulePlace): Instruction {
  if (!('set' in instruction) || typeof instruction.set !== 'string') return instruction;
  const known = place.set(instruction.set);
  const named = known !== undefined && !(known.flags & SET_FLAGS.anonymous);
  return { ...instruction, set: named ? instruction.set : '', setId: undefined } as Instruction;
}

/** LOGLEVEL_WARNING: what the kernel logs at where nothing is said. */
const WARNING = 4;

/** NF_NAT_RANGE_MAP_IPS and NF_NAT_RANGE_PROTO_SPECIFIED: that there is an address, and a port. */
const GIVEN = { address: 1, port: 2 } as const;

function withoutGiven(flags = 0, address: number | undefined, port: number | undefined): number {
  const given = (address === undefined ? 0 : GIVEN.address) | (port === undefined ? 0 : GIVEN.port);
  return flags & ~given;
}

/** Leaves out what the kernel makes of absent attributes, other than zero. */
function withoutDefaults(instruction: Instruction): Instruction {
  switch (instruction.name) {
    case 'log':
      return instruction.level === WARNING ? { ...instruction, level: undefined } : instruction;
    case 'queue':
      return instruction.total === 1 ? { ...instruction, total: undefined } : instruction;
    case 'nat': {
      const { addrMin, addrMax, protoMin, protoMax, flags } = instruction;
      return {
        ...instruction,
        addrMax: addrMax === addrMin ? undefined : addrMax,
        protoMax: protoMax === protoMin ? undefined : protoMax,
        flags: withoutGiven(flags, addrMin, protoMin),
      };
    }
    case 'masq':
    case 'redir':
      return instruction.protoMax === instruction.protoMin
        ? { ...instruction, protoMax: undefined }
        : instruction;
    default:
      return instruction;
  }
}
