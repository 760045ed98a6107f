import { ELEMENT_FLAGS, type Instruction, SET_FLAGS } from '../bytecode/index.ts';
import { MESSAGE, NLM, elementList as schema, VERDICT_TYPE } from '../message/index.ts';
import { decodeOpen } from '../wire/schema.ts';
import { ElementStore } from './element-store.ts';
import { jump } from './instruction.ts';
import { keyText } from './key-text.ts';
import type { BatchMessage, GivenElement } from './program-reader.ts';
import { demand, Refused } from './refusal.ts';
import { findSet, hold, type Run, tableOf } from './run.ts';
import { expressionsOf } from './set.ts';
import { type Element, isMap, type NftSet, objectKey, type Use } from './state.ts';
import { elementsValue } from './tell.ts';

const NFTA_SET_ELEM_LIST_SET = 2;
const ELEMENTS = 128;
const KNOWN_FLAGS = ELEMENT_FLAGS.intervalEnd | ELEMENT_FLAGS.catchall;

/** Names the element where something is refused of it. */
function each(elements: readonly GivenElement[], work: (element: GivenElement) => void): void {
  elements.forEach((element, i) => {
    try {
      work(element);
    } catch (error) {
      if (error instanceof Refused) throw new Refused(error.code, [], i);
      throw error;
    }
  });
}

/** NFT_MSG_NEWSETELEM */
export function newElements(run: Run, message: BatchMessage): void {
  const { value } = decodeOpen(schema, message.attributes);
  const table = tableOf(run, message, value.table);
  const set = findSet(run, table, value.set, value.setId);
  demand(set, 'ENOENT', NFTA_SET_ELEM_LIST_SET);
  const closed = set.flags & (SET_FLAGS.constant | SET_FLAGS.anonymous);
  demand(set.bindings === 0 || !closed, 'EBUSY');
  const added: Element[] = [];
  each(message.elements ?? [], (given) => {
    const element = addElement(run, message, set, given);
    if (element !== undefined) added.push(element);
  });
  for (const some of parts(added))
    run.news.made(message, MESSAGE.NEWSETELEM, schema, () => elementsValue(set, some, run.machine.now()));
}

/** As many elements at a time as one message tells of: no list may pass 64 KiB. */
export function* parts(elements: Iterable<Element>): Generator<Element[]> {
  let part: Element[] = [];
  for (const element of elements) {
    part.push(element);
    if (part.length < ELEMENTS) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

/** @returns the element, where something changed */
function addElement(run: Run, message: BatchMessage, set: NftSet, given: GivenElement): Element | undefined {
  const element = take(run, set, given);
  const there = set.elements.find(element);
  if (there !== undefined) {
    demand(!(message.flags & NLM.EXCL) && givesTheSame(there, element), 'EEXIST');
    return renew(run, set, there, given, element) ? there : undefined;
  }
  demand(!set.elements.overlaps(element), 'EEXIST');
  demand(hasRoom(run, set, element), 'ENFILE');
  const { elements } = set;
  elements.insert(element);
  run.journal.did(() => elements.remove(element));
  set.soonest = Math.min(set.soonest, element.expires ?? Number.POSITIVE_INFINITY);
  if (element.use !== undefined) hold(run.journal, element.use);
  if (element.use?.kind === 'chain') run.journal.set(set.table, 'unproven', true);
  return element;
}

function hasRoom(run: Run, set: NftSet, { flags }: Element): boolean {
  const size = set.declared.description?.size;
  if (size === undefined || size === 0 || flags & ELEMENT_FLAGS.catchall) return true;
  const room = set.elements.capacity(size) + (run.vacated.get(set) ?? 0);
  return set.elements.size < room;
}

function givesTheSame(a: Element, b: Element): boolean {
  const text = ({ data, object }: Element) =>
    data instanceof Uint8Array ? keyText(data) : JSON.stringify([data, object]);
  return text(a) === text(b);
}

/** An element that is added again lives as long as it would now. */
function renew(run: Run, set: NftSet, there: Element, given: GivenElement, element: Element): boolean {
  if (there.timeout === undefined) return false;
  if (given.timeout === undefined && given.expiration === undefined) return false;
  run.journal.set(there, 'timeout', element.timeout);
  run.journal.set(there, 'expires', element.expires);
  set.soonest = Math.min(set.soonest, element.expires ?? Number.POSITIVE_INFINITY);
  return true;
}

/** Checks what is given of an element, and looks up what it names. */
function take(run: Run, set: NftSet, given: GivenElement): Element {
  const { flags = 0, key, keyEnd, data, object, userdata, expression, expressions } = given;
  const isEnd = (flags & ELEMENT_FLAGS.intervalEnd) !== 0;
  demand((flags & ~KNOWN_FLAGS) === 0, 'EOPNOTSUPP');
  demand(!isEnd || set.flags & SET_FLAGS.interval, 'EINVAL');
  demand((key === undefined) === ((flags & ELEMENT_FLAGS.catchall) !== 0), 'EINVAL');
  demand(isMap(set) ? data !== undefined || isEnd : data === undefined, 'EINVAL');
  demand(set.flags & SET_FLAGS.object ? object !== undefined || isEnd : object === undefined, 'EINVAL');
  const { timeout, expires } = lifetime(run, set, given, isEnd);
  const bytes = (one: typeof key) => {
    demand(
      one === undefined || (one instanceof Uint8Array && one.length === set.declared.keyLength),
      'EINVAL',
    );
    return one;
  };
  const own = (expressions ?? (expression === undefined ? [] : [expression])) as readonly Instruction[];
  const wanted = expressionsOf(set.declared);
  const fits = own.every((one, i) => wanted.length === 0 || wanted[i]?.name === one.name);
  demand(own.length === 0 || fits, 'EOPNOTSUPP');
  return {
    key: bytes(key),
    keyEnd: bytes(keyEnd),
    flags,
    data,
    object,
    userdata,
    expressions: own.length > 0 || isEnd ? own : wanted,
    timeout,
    expires,
    use: useOf(set, given),
  };
}

function lifetime(
  { machine }: Run,
  set: NftSet,
  given: GivenElement,
  isEnd: boolean,
): Pick<Element, 'timeout' | 'expires'> {
  const timed = (set.flags & SET_FLAGS.timeout) !== 0;
  demand(timed || (given.timeout === undefined && given.expiration === undefined), 'EINVAL');
  if (!timed || isEnd) return { timeout: undefined, expires: undefined };
  const timeout = given.timeout ?? set.declared.timeout ?? 0n;
  if (given.expiration !== undefined) {
    demand(timeout > 0n, 'EOPNOTSUPP');
    demand(given.expiration <= timeout, 'ERANGE');
  }
  if (timeout === 0n) return { timeout, expires: undefined };
  return { timeout, expires: machine.now() + Number(given.expiration ?? timeout) };
}

/** What an element refers to: an object, or a chain to jump to. */
function useOf(set: NftSet, { data, object }: GivenElement): Use | undefined {
  if (object !== undefined) {
    const target = set.table.objects.get(objectKey(set.declared.objectType ?? 0, object));
    demand(target, 'ENOENT');
    return { kind: 'object', target };
  }
  if (data === undefined) return undefined;
  const verdicts = set.declared.dataType === VERDICT_TYPE;
  if (data instanceof Uint8Array) {
    demand(!verdicts && data.length === set.declared.dataLength, 'EINVAL');
    return undefined;
  }
  demand(verdicts, 'EINVAL');
  return jump(set.table, data);
}

/** NFT_MSG_DELSETELEM and NFT_MSG_DESTROYSETELEM: some elements, or all of them. */
export function deleteElements(run: Run, message: BatchMessage): void {
  const { value } = decodeOpen(schema, message.attributes);
  const table = tableOf(run, message, value.table);
  const set = table.sets.get(value.set ?? '');
  demand(set, 'ENOENT', NFTA_SET_ELEM_LIST_SET);
  demand(!(set.flags & SET_FLAGS.anonymous), 'EOPNOTSUPP');
  demand(set.bindings === 0 || !(set.flags & SET_FLAGS.constant), 'EBUSY');
  if (message.elements === undefined) {
    flush(run, message, set);
    return;
  }
  const lenient = message.type === MESSAGE.DESTROYSETELEM;
  const gone: Element[] = [];
  each(message.elements, (given) => {
    const { key, keyEnd, flags = 0 } = given;
    demand((key === undefined) === ((flags & ELEMENT_FLAGS.catchall) !== 0), 'EINVAL');
    const wanted = { key: key as Uint8Array | undefined, keyEnd: keyEnd as Uint8Array | undefined, flags };
    const element = set.elements.hit(wanted);
    demand(element !== undefined || lenient, 'ENOENT');
    if (element === undefined) return;
    removeElement(run, set, element);
    gone.push(element);
  });
  tellGone(run, message, set, gone);
}

function tellGone(run: Run, message: BatchMessage, set: NftSet, gone: readonly Element[]): void {
  for (const some of parts(gone))
    run.news.gone(message, MESSAGE.DELSETELEM, schema, elementsValue(set, some, run.machine.now()));
}

function removeElement(run: Run, set: NftSet, element: Element): void {
  const { elements } = set;
  elements.remove(element);
  run.journal.did(() => elements.insert(element));
  if (element.use !== undefined) hold(run.journal, element.use, -1);
  if (!(element.flags & ELEMENT_FLAGS.catchall)) vacate(run, set, 1);
}

function vacate({ vacated }: Run, set: NftSet, count: number): void {
  vacated.set(set, (vacated.get(set) ?? 0) + count);
}

/** An empty store takes the place of the full one, however full. */
function flush(run: Run, message: BatchMessage, set: NftSet): void {
  const { size } = set.elements;
  const [first] = set.elements;
  if (first === undefined) return;
  if (set.flags & (SET_FLAGS.map | SET_FLAGS.object)) {
    for (const { use } of set.elements) if (use !== undefined) hold(run.journal, use, -1);
  }
  tellGone(run, message, set, [...set.elements]);
  run.journal.set(set, 'elements', new ElementStore(set));
  vacate(run, set, size);
}

/** Takes away what has outlived its time. */
export function expire(set: NftSet, now: number, journal: Run['journal']): void {
  if (set.soonest > now) return;
  set.soonest = Number.POSITIVE_INFINITY;
  for (const element of [...set.elements]) {
    const { expires = Number.POSITIVE_INFINITY } = element;
    if (expires > now) {
      set.soonest = Math.min(set.soonest, expires);
      continue;
    }
    set.elements.remove(element);
    if (element.use !== undefined) hold(journal, element.use, -1);
  }
}
