import { type Instruction, type KernelElement, SET_FLAGS } from '../bytecode/index.ts';
import { ELEMENT, ElementReader } from '../message/index.ts';
import { KeySet } from './key-set.ts';
import type { Abortable, DumpResult } from './request.ts';
import { Interrupted, pause, TornError } from './torn.ts';

/** How often a set is read while the kernel rearranges it, and one that changes by itself. */
export const TRIES = 20;
export const CHANGING_TRIES = 4;

/** What says how the kernel keeps a set. */
export interface Kept {
  /** {@link SET_FLAGS} */
  readonly flags: number;
  readonly size?: number | undefined;
}

/**
 * Whether the kernel may keep a set in a table that it resizes whenever it likes (nft_set_rhash): one without a
 * declared size, or whose elements packets add or time removes. Intervals are never hashed.
 *
 * The kernel goes on with an answer by counting the elements that it told already, from the beginning of the table as
 * it is then. Was it resized in between, they lie in another order: some are told twice, others are not, and neither
 * the generation nor NLM_F_DUMP_INTR says so. But each part walks over the whole table until it is full, and the last
 * one to its end, so that all parts together tell as many elements as that last walk came by, which misses none. Where
 * no element was told twice, none is missing.
 */
export function mayRehash({ flags, size }: Kept): boolean {
  if (flags & SET_FLAGS.interval) return false;
  return size === undefined || (flags & (SET_FLAGS.timeout | SET_FLAGS.eval)) !== 0;
}

/** Whether packets or time change the set, without a commit. */
export function changesByItself({ flags }: Kept): boolean {
  return (flags & (SET_FLAGS.timeout | SET_FLAGS.eval)) !== 0;
}

/** What is done with what an element tells that was told before. */
type Join = (before: KernelElement, again: KernelElement) => KernelElement;

/** Elements as they were told, or put together from several answers. */
export type ElementAnswer = Uint8Array | readonly KernelElement[];

/** Asks for elements of a set, and keeps each once. */
export type ReadElements = (
  ask: () => Promise<DumpResult>,
  set: Kept & { readonly name: string },
  options: Abortable,
) => Promise<ElementAnswer>;

/**
 * Reads the elements of a set until none is missing for the kernel's rearranging. Of a set that changes by itself
 * there is no picture of one moment: where it does not come to rest, several answers together tell what was in it.
 *
 * @throws Interrupted when the ruleset changed
 * @throws TornError when the kernel does not come to an end with its rearranging
 */
export const readElements: ReadElements = async (ask, set, options) => {
  const torn: Uint8Array[] = [];
  for await (const { messages, whole } of answers(ask, set, options)) {
    if (whole) return messages;
    if (changesByItself(set)) torn.push(messages);
  }
  return joined(torn, (_, again) => again);
};

/**
 * As {@link readElements}, where each answer resets what it tells: what it told first counts, and what was counted
 * until it was told again.
 */
export const resetElements: ReadElements = async (ask, set, options) => {
  const all: Uint8Array[] = [];
  for await (const { messages, whole } of answers(ask, set, options)) {
    if (whole && all.length === 0) return messages;
    all.push(messages);
  }
  return joined(all, withCounted);
};

interface Answer {
  readonly messages: Uint8Array;
  readonly whole: boolean;
}

/** Answers until one is whole; of sets that change by themselves some, whole or not. */
async function* answers(
  ask: () => Promise<DumpResult>,
  set: Kept & { readonly name: string },
  { signal }: Abortable,
): AsyncGenerator<Answer, void, undefined> {
  const tries = changesByItself(set) ? CHANGING_TRIES : TRIES;
  for (let made = 1; made <= tries; made++) {
    const { messages, interrupted } = await ask();
    if (interrupted) throw new Interrupted(`the set ${set.name} changed while it was read`);
    const whole = !mayRehash(set) || !tellsTwice(messages);
    yield { messages, whole };
    if (whole) return;
    if (made < tries) await pause(made, signal);
  }
  if (!changesByItself(set)) throw new TornError(`the set ${set.name}`, tries);
}

/** The elements of an answer. */
export function elementsOf(answer: ElementAnswer): readonly KernelElement[] {
  if (!(answer instanceof Uint8Array)) return answer;
  const elements: KernelElement[] = [];
  for (const reader = new ElementReader(answer); reader.next(); ) elements.push(reader.element());
  return elements;
}

/** The elements of several answers, each once. */
function joined(answers: readonly Uint8Array[], join: Join): KernelElement[] {
  const elements: KernelElement[] = [];
  const catchall: KernelElement[] = [];
  let keys: KeySet | undefined;
  for (const messages of answers) {
    for (const reader = new ElementReader(messages); reader.next(); ) {
      const told = reader.element();
      const at = reader.at[ELEMENT.key] as number;
      if (at > 0) keys ??= new KeySet(reader.length[ELEMENT.key] as number);
      const list = at > 0 ? elements : catchall;
      const number = at > 0 ? (keys as KeySet).number(reader.view, at) : 0;
      const before = list[number];
      list[number] = before === undefined ? told : join(before, told);
    }
  }
  return [...elements, ...catchall];
}

/** An element as it was told, with what was counted after that. */
function withCounted(before: KernelElement, again: KernelElement): KernelElement {
  const { expression, expressions } = before;
  if (expression !== undefined) return { ...before, expression: sum(expression, again.expression) };
  if (expressions === undefined) return before;
  return { ...before, expressions: expressions.map((one, i) => sum(one, again.expressions?.[i])) };
}

function sum(before: Instruction, again: Instruction | undefined): Instruction {
  if (again?.name !== before.name) return before;
  if (before.name === 'counter' && again.name === 'counter')
    return { ...before, packets: before.packets + again.packets, bytes: before.bytes + again.bytes };
  if (before.name === 'quota' && again.name === 'quota')
    return { ...before, consumed: (before.consumed ?? 0n) + (again.consumed ?? 0n) };
  return before;
}

/** Whether an answer tells an element twice. */
function tellsTwice(messages: Uint8Array): boolean {
  const reader = new ElementReader(messages);
  let keys: KeySet | undefined;
  while (reader.next()) {
    const at = reader.at[ELEMENT.key] as number;
    if (at === 0) continue;
    keys ??= new KeySet(reader.length[ELEMENT.key] as number);
    if (!keys.add(reader.view, at)) return true;
  }
  return false;
}
