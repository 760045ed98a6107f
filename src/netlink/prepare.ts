import { PackedElements } from '../linearize/index.ts';
import { MESSAGE, NLM } from '../message/index.ts';
import {
  compileParsed,
  encodeInPieces,
  encodeMessages,
  type KernelView,
  type OutgoingMessage,
  UnpackableError,
} from '../transaction/index.ts';
import type { ProgramOptions, ProgramWriter } from '../wire/program.ts';
import type { Job } from './job.ts';
import type { Abortable, LargeProgram } from './request.ts';
import type { Transport } from './transport.ts';

/** Milliseconds for which the event loop is kept at a time. */
const SLICE = 5;

/** A transaction, compiled or ready to be. */
export interface Prepared {
  readonly messages: Iterable<OutgoingMessage>;
  /** What the compiler looked at, and the generation of that; 0 where it did not have to look. */
  readonly view: KernelView;
  readonly generation: number;
}

/** Messages, and the program that they are. */
export interface Encoded<P = ProgramWriter | Uint8Array | LargeProgram> {
  readonly messages: Iterable<OutgoingMessage>;
  readonly program: P;
}

/** What was looked up for it, a transaction is held against at once; it is compiled as it is encoded elsewhere. */
export function compiled(job: Job, view: KernelView, generation: number): Prepared {
  const messages = compileParsed(job.parsed, view, true);
  return { messages: job.asks ? [...messages] : messages, view, generation };
}

/** So few elements are sent twice, where they turn out to be there already. */
const FEW = 16;

/**
 * Elements that are added alone to a set, as ones that must not be there yet: mostly they are not. A commit of them
 * always changes something, so that the kernel need not tell which generation began: that takes it a quarter of its time.
 */
export function elementsAsNew({ messages, view, generation }: Prepared): Prepared | undefined {
  if (!Array.isArray(messages) || messages.length !== 1) return undefined;
  const [message] = messages as [OutgoingMessage];
  const { kind, type, flags } = message;
  if (kind !== 'elements' || type !== MESSAGE.NEWSETELEM || flags !== NLM.CREATE) return undefined;
  const { elements } = message;
  if (!(elements instanceof PackedElements) || elements.length > FEW) return undefined;
  return { messages: [{ ...message, flags: flags | NLM.EXCL }], view, generation };
}

/** Compiled anew where many elements turn out to be more than literals. */
export function encoded(
  job: Job,
  { messages, view }: Prepared,
  settings: ProgramOptions,
  into?: ProgramWriter,
): Encoded<ProgramWriter> {
  try {
    return { messages, program: encodeMessages(messages, settings, into) };
  } catch (error) {
    if (!(error instanceof UnpackableError)) throw error;
    const complete = compileParsed(job.parsed, view);
    return { messages: complete, program: encodeMessages(complete, settings, into) };
  }
}

/** As {@link encoded}, letting others go in between. */
export async function encodedInPieces(
  job: Job,
  prepared: Prepared,
  settings: ProgramOptions,
  socket: Transport,
  { signal }: Abortable,
): Promise<Encoded> {
  const { length, pieces } = encodeInPieces(prepared.messages, settings);
  const large = socket.collect?.();
  const array = new Uint8Array(large === undefined ? length : 0);
  let at = 0;
  try {
    for (;;) {
      const end = performance.now() + SLICE;
      do {
        const { done, value } = pieces.next();
        if (done) return { messages: prepared.messages, program: large ?? array };
        if (large === undefined) array.set(value, at);
        else large.append(value);
        at += value.length;
      } while (performance.now() < end);
      await new Promise(setImmediate);
      signal?.throwIfAborted();
    }
  } catch (error) {
    if (!(error instanceof UnpackableError)) throw error;
    return encoded(job, { ...prepared, messages: compileParsed(job.parsed, prepared.view) }, settings);
  }
}
