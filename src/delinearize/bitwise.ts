import type { Typed } from '../bytecode/index.ts';
import { datatype, fromBytes } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import { literal, maxOf, runOf, widthOf } from './constant.ts';
import type { Described } from './described.ts';
import type { Describer } from './describer.ts';
import { carrierOf, maskedExthdr } from './exthdr.ts';
import { namedPayload } from './payload.ts';
import { type Bitwise, Inexpressible, type Term } from './term.ts';

/** A field that is narrower than the bytes that hold it, from the mask that selects it. */
export function maskedField({ arg, mask }: Bitwise, describer: Describer): Described | undefined {
  const run = runOf(fromBytes(mask, 'network'));
  if (run === undefined) return undefined;
  const lead = mask.length * 8 - run.shift - run.bits;
  const field = selected(arg, lead, run.bits, describer);
  return field && { ...field, shift: run.shift, width: mask.length };
}

function selected(arg: Term, lead: number, bits: number, describer: Describer): Described | undefined {
  if (arg.kind === 'payload') {
    const context = describer.scope(arg.tunnel).protocols;
    if (namedPayload(arg, context) !== undefined) return undefined;
    const named = namedPayload({ ...arg, offset: arg.offset + lead, bits }, context);
    if (named?.field !== undefined) describer.uses(named.field.header, arg.tunnel);
    return named;
  }
  if (arg.kind !== 'exthdr') return undefined;
  const masked = maskedExthdr(arg.instruction, lead, bits);
  if (masked !== undefined) describer.uses(carrierOf(arg.instruction));
  return masked;
}

/** `(arg & mask) ^ xor` as the operations that nft has for it: and, or, xor. */
export function describeBitwise(term: Bitwise, describer: Describer): Described {
  const plain = term.xor.every((byte) => byte === 0);
  const field = plain ? maskedField(term, describer) : undefined;
  if (field !== undefined) return field;
  const arg = describer.describe(term.arg);
  if (arg.shift) throw new Inexpressible('the field is masked already');
  if (arg.parts !== undefined) throw new Inexpressible('a mask over several values');
  const bits = term.mask.length * 8;
  // Wider than what was loaded: the value is on its way to a place in host order.
  const byteorder = term.mask.length > widthOf(arg) ? 'host' : arg.byteorder;
  const mask = fromBytes(term.mask, byteorder);
  const xor = fromBytes(term.xor, byteorder);
  const operand = operandType(arg);
  let { node } = arg;
  const apply = (operator: '&' | '|' | '^', value: bigint) => {
    node = {
      [operator]: [node, literal(value, { ...operand, bits }, describer.notation)],
    } as unknown as Expression;
  };
  const kept = mask | xor;
  if (kept !== maxOf(bits)) apply('&', kept);
  if ((xor & ~mask) !== 0n) apply('|', xor & ~mask);
  if ((xor & mask) !== 0n) apply('^', xor & mask);
  return { node, type: arg.type, bits, byteorder };
}

const ADDRESSES: ReadonlySet<string> = new Set(['ipv4_addr', 'ipv6_addr', 'ether_addr']);

/** Operands are numbers, but where the type has flags or is an address. */
function operandType(arg: Typed): Typed {
  return arg.type.base === 'bitmask' || ADDRESSES.has(arg.type.name)
    ? arg
    : { ...arg, type: datatype('integer') };
}
