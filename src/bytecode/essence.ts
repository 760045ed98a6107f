import { readAttributes } from '../wire/attribute-reader.ts';
import { AttributeWriter } from '../wire/attribute-writer.ts';
import { encode } from '../wire/schema.ts';
import { instructions as definitions, type Instruction } from './instruction.ts';

/** Whether a name is that of a named set: of others the name is chance. */
export type IsNamed = (set: string) => boolean;

/**
 * What an instruction does, as text. The kernel fills in what a program leaves out, so attributes that say
 * what their absence says are left out; and anonymous sets have names and numbers by chance.
 */
export function essence(instruction: Instruction, isNamed: IsNamed): string {
  if (instruction.name === 'opaque') {
    return `${instruction.expression} ${Buffer.from(instruction.data ?? []).toString('hex')}`;
  }
  const plain = withoutDefaults(withoutChance(instruction, isNamed));
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

function withoutChance(instruction: Instruction, isNamed: IsNamed): Instruction {
  if (!('set' in instruction) || typeof instruction.set !== 'string') return instruction;
  return {
    ...instruction,
    set: isNamed(instruction.set) ? instruction.set : '',
    setId: undefined,
  } as Instruction;
}

/** LOGLEVEL_WARNING: what the kernel logs at where nothing is said. */
const WARNING = 4;

/** NFT_DYNSET_F_EXPR: that there may be several expressions, which their list says too. */
const SEVERAL = 2;

/** NF_NAT_RANGE_MAP_IPS and NF_NAT_RANGE_PROTO_SPECIFIED: that there is an address, and a port. */
const GIVEN = { address: 1, port: 2 } as const;

function withoutGiven(flags = 0, address: number | undefined, port: number | undefined): number {
  const given = (address === undefined ? 0 : GIVEN.address) | (port === undefined ? 0 : GIVEN.port);
  return flags & ~given;
}

/** An instruction inside another, without what its absence says as well. */
function withoutZeros<I extends { readonly name: string }>(instruction: I): I {
  const schema = definitions.get(instruction.name)?.schema ?? {};
  const told = Object.entries(instruction as Readonly<Record<string, unknown>>).filter(
    ([key, value]) => !(schema[key]?.optional && (value === 0 || value === 0n)),
  );
  return Object.fromEntries(told) as unknown as I;
}

/** Leaves out what the kernel makes of absent attributes, other than zero. */
function withoutDefaults(instruction: Instruction): Instruction {
  switch (instruction.name) {
    case 'log':
      return instruction.level === WARNING ? { ...instruction, level: undefined } : instruction;
    case 'queue':
      return instruction.total === 1 ? { ...instruction, total: undefined } : instruction;
    case 'dynset': {
      const { flags = 0, expression, expressions } = instruction;
      const inside = { expression: expression && withoutZeros(expression) };
      return {
        ...instruction,
        flags: flags & ~SEVERAL,
        ...inside,
        expressions: expressions?.map(withoutZeros),
      };
    }
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
