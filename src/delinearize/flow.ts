import {
  essence,
  type Instruction,
  type InstructionNamed,
  type IsNamed,
  type KnownSet,
  type Register,
} from '../bytecode/index.ts';
import type { FamilyName } from '../protocol/index.ts';
import { load } from './machine.ts';
import { Registers } from './registers.ts';
import type { Reading } from './step.ts';
import { Inexpressible, type Term } from './term.ts';

/** What a rule is followed through the machine with. */
export interface FlowContext {
  readonly family: FamilyName;
  /** A set by the name that the instructions call it. */
  set(name: string): KnownSet | undefined;
  readonly isNamed: IsNamed;
}

/** Where instructions name registers that they read. */
const SOURCES = [
  'sreg',
  'sreg2',
  'sregKey',
  'sregData',
  'addrMin',
  'addrMax',
  'protoMin',
  'protoMax',
  'addr',
  'port',
  'dev',
] as const;

/**
 * What a rule does, as text: its instructions without the loads, with the values that they read, whatever registers
 * these go through. Comparisons that stand side by side have one order, as all of them must hold: until one has been
 * made, nothing is done. Generators of numbers are kept too: each is another number.
 *
 * @returns undefined where an instruction is not understood
 */
export function flowOf(
  instructions: readonly Instruction[],
  context: FlowContext,
): readonly string[] | undefined {
  const registers = new Registers();
  const reading: Reading = { registers, set: (name) => context.set(name) };
  const done: string[] = [];
  let comparisons: string[] = [];
  const rule: Rule = { instructions, acts: [], context };
  let acts = 0;
  try {
    instructions.forEach((instruction, at) => {
      if (instruction.name === 'opaque') throw new Inexpressible('an instruction that is not known');
      rule.acts.push(acts);
      const isLoad = load(instruction, at, reading);
      if (!isLoad && isComparison(instruction)) {
        comparisons.push(...effectsOf(instruction, rule, reading));
        return;
      }
      if (isLoad && instruction.name !== 'numgen') return;
      acts++;
      done.push(...comparisons.sort());
      comparisons = [];
      done.push(...(isLoad ? [effect(instruction, {}, rule)] : effectsOf(instruction, rule, reading)));
    });
  } catch (error) {
    if (error instanceof Inexpressible) return undefined;
    throw error;
  }
  return [...done, ...comparisons.sort()];
}

/** Whether an instruction does nothing but end the rule where something does not hold. */
export function isComparison(instruction: Instruction): boolean {
  const { name } = instruction;
  return name === 'cmp' || name === 'range' || (name === 'lookup' && instruction.dreg === undefined);
}

interface Rule {
  readonly instructions: readonly Instruction[];
  /** How much had been done before each instruction: it may load what was changed by that. */
  readonly acts: number[];
  readonly context: FlowContext;
}

function effectsOf(instruction: Instruction, rule: Rule, reading: Reading): string[] {
  if (instruction.name === 'cmp') return comparisons(instruction, rule, reading);
  if (instruction.name === 'range' && instruction.op === 'eq') {
    const { sreg, from, to } = instruction;
    return [
      ...comparisons({ name: 'cmp', sreg, op: 'gte', data: from }, rule, reading),
      ...comparisons({ name: 'cmp', sreg, op: 'lte', data: to }, rule, reading),
    ];
  }
  const read: Record<string, string> = {};
  for (const source of SOURCES) {
    const register = (instruction as Readonly<Record<string, unknown>>)[source];
    if (typeof register !== 'number') continue;
    const { term, skipped = 0 } = valueAt(register, source, instruction, reading);
    read[source] = `${textOf(term, rule)}${skipped === 0 ? '' : ` + ${skipped}`}`;
  }
  return [effect(instruction, read, rule)];
}

/** An instruction, and the values that it reads. */
function effect(
  instruction: Instruction,
  read: Readonly<Record<string, string>>,
  { context }: Pick<Rule, 'context'>,
): string {
  const values = Object.entries(read).map(([source, value]) => ` ${source}: ${value}`);
  return essence(withoutRegisters(instruction), context.isNamed) + values.join('');
}

type Comparison = InstructionNamed<'cmp'>;

/** A comparison in the form that is the same however much of the packet was loaded for it. */
function comparisons(instruction: Comparison, rule: Rule, reading: Reading): string[] {
  const { op, data } = instruction;
  const term = reading.registers.readLength(instruction.sreg, data.length);
  if (op === 'eq') {
    const bytes = byBytes(term, data, rule);
    if (bytes !== undefined) return bytes;
  }
  const narrow = narrowed(term, instruction, rule);
  if (narrow !== undefined)
    return [effect({ ...instruction, data: narrow.data }, { sreg: narrow.text }, rule)];
  const plain = { ...instruction, data: isName(term) ? withoutPadding(data) : data };
  return [effect(plain, { sreg: textOf(term, rule) }, rule)];
}

/** Bytes of the packet are all compared, each for itself, but those that a mask leaves out. */
function byBytes(term: Term, data: Uint8Array, rule: Rule): string[] | undefined {
  const mask = term.kind === 'bitwise' ? term : undefined;
  const source = mask?.arg ?? term;
  const at = source.from.at(-1) as number;
  const payload = rule.instructions[at];
  if (source.kind !== 'payload' || payload?.name !== 'payload' || mask?.xor.some((byte) => byte !== 0))
    return undefined;
  const compared = [...data].map((byte, i) => ({ i, byte, bits: mask?.mask[i] ?? 0xff }));
  if (compared.some(({ byte, bits }) => (byte & ~bits) !== 0)) return undefined;
  return compared
    .filter(({ bits }) => bits !== 0)
    .map(({ i, byte, bits }) => {
      const text = loadText({ ...payload, offset: payload.offset + i, len: 1 }, at, rule);
      const sreg = bits === 0xff ? text : `${text} & ${bits}`;
      return effect({ name: 'cmp', sreg: 0, op: 'eq', data: new Uint8Array([byte]) }, { sreg }, rule);
    });
}

const NAMES: ReadonlySet<string> = new Set(['iifname', 'oifname', 'bri_iifname', 'bri_oifname', 'sdifname']);

/** Names of interfaces are filled up with zeros. */
function isName(term: Term): boolean {
  return term.kind === 'load' && term.instruction.name === 'meta' && NAMES.has(term.instruction.key);
}

/** A name with the zero that ends it, or its beginning alone. */
function withoutPadding(name: Uint8Array): Uint8Array {
  const end = name.indexOf(0);
  return end < 0 || name.subarray(end).some((byte) => byte !== 0) ? name : name.subarray(0, end + 1);
}

/** A value, or what lies some slots behind its beginning. */
interface Source {
  readonly term: Term;
  readonly skipped?: number;
}

function valueAt(register: Register, source: string, instruction: Instruction, reading: Reading): Source {
  const { registers } = reading;
  const set =
    'set' in instruction && typeof instruction.set === 'string' ? reading.set(instruction.set) : undefined;
  if (set === undefined) return registers.covering(register);
  const parts = source === 'sregData' && set.data?.kind === 'value' ? set.data.parts : set.key;
  return { term: registers.readParts(register, parts) };
}

/** Bytes of the packet of which only the first are compared might as well not be loaded. */
function narrowed(
  term: Term,
  { op, data }: Comparison,
  rule: Rule,
): { readonly text: string; readonly data: Uint8Array } | undefined {
  if (op !== 'neq') return undefined;
  if (term.kind !== 'bitwise' || term.arg.kind !== 'payload' || term.mask.length !== data.length)
    return undefined;
  const whole = term.mask.findIndex((byte) => byte !== 0xff);
  const isPrefix = whole > 0 && term.mask.subarray(whole).every((byte) => byte === 0);
  const isPlain = term.xor.every((byte) => byte === 0) && data.subarray(whole).every((byte) => byte === 0);
  const at = term.arg.from.at(-1) as number;
  const payload = rule.instructions[at];
  if (!isPrefix || !isPlain || payload?.name !== 'payload') return undefined;
  return { text: loadText({ ...payload, len: whole }, at, rule), data: data.subarray(0, whole) };
}

/** A value by the instructions that make it. */
function textOf(term: Term, rule: Rule): string {
  if (term.kind === 'concat') return term.parts.map((part) => textOf(part, rule)).join(' . ');
  const at = term.from.at(-1) as number;
  const own = rule.instructions[at] as Instruction;
  const from = 'arg' in term ? term.arg : 'key' in term ? term.key : undefined;
  if (from === undefined) return loadText(own, at, rule);
  if (isIdle(own)) return textOf(from, rule);
  return `${essence(withoutRegisters(own), rule.context.isNamed)} (${textOf(from, rule)})`;
}

/** Whether what comes out is what went in: one byte is swapped, or all bits are kept. */
function isIdle(instruction: Instruction): boolean {
  if (instruction.name === 'byteorder') return instruction.len === 1;
  if (instruction.name !== 'bitwise' || (instruction.op ?? 'bool') !== 'bool') return false;
  const { mask, xor } = instruction;
  return mask?.every((byte) => byte === 0xff) === true && xor?.every((byte) => byte === 0) === true;
}

function loadText(instruction: Instruction, at: number, { acts, context }: Rule): string {
  const text = essence(withoutRegisters(asProtocol(instruction, context.family)), context.isNamed);
  return instruction.name === 'immediate' ? text : `${text} after ${acts[at]}`;
}

/** In the family ip the header's `protocol` and `meta l4proto` are the same byte. */
function asProtocol(instruction: Instruction, family: FamilyName): Instruction {
  if (family !== 'ip' || instruction.name !== 'payload' || instruction.dreg === undefined) return instruction;
  const { base, offset, len, dreg } = instruction;
  return base === 'network' && offset === 9 && len === 1
    ? { name: 'meta', dreg, key: 'l4proto' }
    : instruction;
}

function withoutRegisters(instruction: Instruction): Instruction {
  const plain: Record<string, unknown> = { ...instruction };
  for (const name of ['dreg', ...SOURCES]) if (typeof plain[name] === 'number') plain[name] = 0;
  if (instruction.name === 'inner')
    plain.expression = withoutRegisters(instruction.expression as Instruction);
  return plain as unknown as Instruction;
}
