import type { InstructionNamed, Register, Typed } from '../../bytecode/index.ts';
import { fromBytes } from '../../datatype/index.ts';
import type { Expression, NatFlag, Statement } from '../../model/index.ts';
import { rangeLiteral } from '../constant.ts';
import type { Describer } from '../describer.ts';
import type { Registers } from '../registers.ts';
import type { StatementReaders } from '../step.ts';
import { Inexpressible, type Term } from '../term.ts';
import { addressFamily, addressType, flagNames, PORT } from './forward.ts';

/** NF_NAT_RANGE_* of linux/netfilter/nf_nat.h. */
const FLAGS: Readonly<Record<NatFlag, number>> = {
  random: 0x4,
  'fully-random': 0x10,
  persistent: 0x8,
  netmap: 0x40,
};
/** That there is an address, and a port: the registers tell as well. */
const GIVEN = 0x3;

/** One end or both. */
interface Ends {
  readonly min: Term;
  readonly max?: Term | undefined;
}

function ends(min: Register | undefined, max: Register | undefined, registers: Registers): Ends | undefined {
  if (min === undefined) {
    if (max !== undefined) throw new Inexpressible('an end without a beginning');
    return undefined;
  }
  return {
    min: registers.read(min),
    max: max === undefined || max === min ? undefined : registers.read(max),
  };
}

function termsOf(...pairs: readonly (Ends | undefined)[]): Term[] {
  return pairs.flatMap((pair) => (pair ? [pair.min, ...(pair.max ? [pair.max] : [])] : []));
}

function value({ min, max }: Ends, want: Typed, describer: Describer): Expression {
  if (max === undefined) return describer.value(min, want);
  if (min.kind !== 'constant' || max.kind !== 'constant')
    throw new Inexpressible('the ends are not constants');
  const [low, high] = [min, max].map(({ bytes }) => {
    if (bytes.length * 8 !== want.bits) throw new Inexpressible('an end of another width');
    return fromBytes(bytes, want.byteorder);
  }) as [bigint, bigint];
  return rangeLiteral(low, high, want, describer.notation);
}

function portOf(port: Ends | undefined, describer: Describer): { readonly port?: Expression } {
  return port === undefined ? {} : { port: value(port, PORT, describer) };
}

/** Translation of addresses and ports. */
export const natReaders: StatementReaders = {
  nat: (instruction, { registers }) => {
    const { type, family: number, flags = 0 } = instruction;
    const fromMap = instruction.addrMin === undefined ? undefined : registers.read(instruction.addrMin);
    if (fromMap?.kind === 'map') return mapped(instruction, fromMap, flags);
    const addr = ends(instruction.addrMin, instruction.addrMax, registers);
    const port = ends(instruction.protoMin, instruction.protoMax, registers);
    return {
      terms: termsOf(addr, port),
      run: (describer) => {
        const family = addressFamily(number);
        const netmap = (flags & FLAGS.netmap) !== 0;
        const target = addr && value(addr, addressType(family), describer);
        const named = flagNames(FLAGS, flags & ~GIVEN);
        const said =
          addr === undefined || family === undefined || family === describer.family ? {} : { family };
        const kind = netmap ? { type_flags: 'prefix' } : {};
        const nat = {
          ...said,
          ...(target === undefined ? {} : { addr: target }),
          ...portOf(port, describer),
          ...named,
          ...kind,
        };
        describer.push({ [type]: nat } as unknown as Statement);
      },
    };
  },
  masq: ({ flags = 0, protoMin, protoMax }, { registers }) =>
    portNat('masquerade', flags, ends(protoMin, protoMax, registers)),
  redir: ({ flags = 0, protoMin, protoMax }, { registers }) =>
    portNat('redirect', flags, ends(protoMin, protoMax, registers)),
};

/** A map gives the address, and with it the port or the other end. */
function mapped(
  { type, family: number, addrMin, addrMax, protoMin }: InstructionNamed<'nat'>,
  map: Extract<Term, { kind: 'map' }>,
  flags: number,
) {
  return {
    terms: [map],
    run: (describer: Describer) => {
      const family = addressFamily(number);
      const { data } = map.set;
      if (data?.kind !== 'value') throw new Inexpressible('the map holds no addresses');
      const interval = data.interval === true;
      // The kernel tells a lone end as both.
      const both = addrMax !== undefined && addrMax !== addrMin;
      if (both !== interval || (protoMin !== undefined) !== data.parts.length > 1) {
        throw new Inexpressible('the map holds something else');
      }
      const netmap = (flags & FLAGS.netmap) !== 0;
      const kind = netmap ? { type_flags: 'prefix' } : {};
      const several = data.parts.length > 1 || interval || netmap;
      const said = family === undefined || (family === describer.family && !several) ? {} : { family };
      const addr = describer.describe(map).node;
      describer.push({
        [type]: { ...said, addr, ...flagNames(FLAGS, flags & ~GIVEN), ...kind },
      } as unknown as Statement);
    },
  };
}

function portNat(key: 'masquerade' | 'redirect', flags: number, port: Ends | undefined) {
  return {
    terms: termsOf(port),
    run: (describer: Describer) => {
      const node = { ...portOf(port, describer), ...flagNames(FLAGS, flags & ~GIVEN) };
      describer.push({ [key]: Object.keys(node).length === 0 ? null : node } as unknown as Statement);
    },
  };
}
