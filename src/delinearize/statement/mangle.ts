import type { InstructionNamed } from '../../bytecode/index.ts';
import { fromBytes } from '../../datatype/index.ts';
import type { TcpOptionFields } from '../../model/index.ts';
import { headers, tcpOptions } from '../../protocol/index.ts';
import { literal, maxOf, runOf } from '../constant.ts';
import type { Describer } from '../describer.ts';
import { carrierOf, describeExthdr } from '../exthdr.ts';
import { describeCt, describeMeta } from '../load.ts';
import { namedPayload } from '../payload.ts';
import type { StatementReaders } from '../step.ts';
import { type Bitwise, Inexpressible, type Payload, type Term } from '../term.ts';

function stored(register: number | undefined): number {
  if (register === undefined) throw new Inexpressible('nothing is stored');
  return register;
}

/** What changes the packet or its metadata. */
export const mangleReaders: StatementReaders = {
  meta: ({ key, sreg }, { registers }) => {
    const value = registers.read(stored(sreg));
    return {
      terms: [value],
      run: (describer) => {
        const { node, ...typed } = describeMeta(key);
        describer.push({ mangle: { key: node, value: describer.value(value, typed) } });
      },
    };
  },
  ct: (instruction, { registers }) => {
    const value = registers.read(stored(instruction.sreg));
    return {
      terms: [value],
      run: (describer) => {
        const { node, ...typed } = describeCt(instruction, describer.protocols);
        describer.push({ mangle: { key: node, value: describer.value(value, typed) } });
      },
    };
  },
  exthdr: (instruction, { registers }) => {
    if (instruction.sreg === undefined) return resetOption(instruction);
    const value = registers.read(stored(instruction.sreg));
    return {
      terms: [value],
      run: (describer) => {
        describer.uses(carrierOf(instruction));
        const { node, ...typed } = describeExthdr(instruction);
        describer.push({ mangle: { key: node, value: describer.value(value, typed) } });
      },
    };
  },
  payload: (instruction, { registers }) => {
    const value = registers.read(stored(instruction.sreg));
    return { terms: [value], run: (describer) => storePayload(instruction, value, describer) };
  },
};

/** Removes an option: it is turned into padding. */
function resetOption(instruction: InstructionNamed<'exthdr'>) {
  const option = Object.values(tcpOptions).find(({ type }) => type === instruction.type);
  if (instruction.op !== 'tcpopt' || instruction.len || instruction.offset || instruction.flags || !option) {
    throw new Inexpressible('only TCP options are removed');
  }
  const name = option.name as keyof TcpOptionFields;
  return {
    terms: [],
    run: (describer: Describer) => {
      describer.uses(headers.tcp);
      describer.push({ reset: { 'tcp option': { name } } });
    },
  };
}

function storePayload(
  { base, offset, len }: InstructionNamed<'payload'>,
  value: Term,
  describer: Describer,
): void {
  const place: Payload = { kind: 'payload', base, offset: offset * 8, bits: len * 8, from: [] };
  if (value.kind === 'bitwise' && isSame(value.arg, place) && storeField(place, value, describer)) return;
  const { node, ...typed } = describer.payload(place);
  describer.push({ mangle: { key: node, value: describer.value(value, typed) } });
}

function isSame(term: Term, place: Payload): boolean {
  return (
    term.kind === 'payload' &&
    term.base === place.base &&
    term.offset === place.offset &&
    term.bits === place.bits
  );
}

/** A field that is narrower than what is written: the rest is read before and kept by the mask. */
function storeField(place: Payload, { mask, xor }: Bitwise, describer: Describer): boolean {
  const kept = fromBytes(mask, 'network');
  const bits = fromBytes(xor, 'network');
  const run = runOf(kept ^ maxOf(place.bits));
  if (run === undefined || (bits & kept) !== 0n) return false;
  const lead = place.bits - run.shift - run.bits;
  const field = namedPayload({ ...place, offset: place.offset + lead, bits: run.bits }, describer.protocols);
  if (field?.field === undefined) return false;
  describer.uses(field.field.header);
  describer.push({
    mangle: { key: field.node, value: literal(bits >> BigInt(run.shift), field, describer.notation) },
  });
  return true;
}
