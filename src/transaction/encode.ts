import {
  type Data,
  PackedElements,
  packedOffsets,
  type SetElement,
  writeElementUserdata,
} from '../bytecode/index.ts';
import { elementList, element as elementSchema } from '../message/index.ts';
import { AttributeWriter } from '../wire/attribute-writer.ts';
import { type ProgramOptions, ProgramWriter } from '../wire/program.ts';
import { encode } from '../wire/schema.ts';
import { withEchoes } from './echo.ts';
import type { ElementsMessage, OutgoingMessage } from './message.ts';

/** Elements whose rows are still to be written. */
interface Pending {
  readonly elements: PackedElements;
  /** Where in the program. */
  readonly at: number;
}

const CAPACITY = 4096;

/** The attributes of one message after the other. */
const scratch = new AttributeWriter(CAPACITY);

/** Elements that are written between two steps: a millisecond or so. */
const STEP = 4096;

/** Elements that the compiler deferred cannot be put into rows: it has to look at them at once. */
export class UnpackableError extends Error {
  override readonly name = 'UnpackableError';
}

/** What the kernel is to send back each message says for itself: see {@link withEchoes}. */
const quiet = (options: ProgramOptions): ProgramOptions => ({ ...options, echo: false });

/**
 * Writes messages into a program for the addon.
 *
 * @param program - one whose bytes nobody needs any more
 * @throws UnpackableError when the messages were compiled with `defers`
 */
export function encodeMessages(
  messages: Iterable<OutgoingMessage>,
  options: ProgramOptions,
  program = new ProgramWriter(quiet(options), CAPACITY),
): ProgramWriter {
  program.begin(quiet(options));
  const pending = begun(options.echo ? withEchoes(messages) : messages, program);
  if (pending.length > 0) {
    const bytes = program.bytes();
    for (const { elements, at } of pending)
      if (!elements.write(bytes.subarray(at), 0, elements.length)) throw new UnpackableError();
  }
  return program;
}

/** A program too large to be made at once. */
export interface ProgramPieces {
  /** Bytes of all pieces. */
  readonly length: number;
  /** One after the other; each is gone with the next. */
  readonly pieces: Generator<Uint8Array, void>;
}

/**
 * As {@link encodeMessages}, in pieces that take a millisecond or so each, for large programs.
 *
 * @throws UnpackableError from the generator, when the messages were compiled with `defers`
 */
export function encodeInPieces(messages: Iterable<OutgoingMessage>, options: ProgramOptions): ProgramPieces {
  const program = new ProgramWriter(quiet(options), CAPACITY);
  const pending = begun(options.echo ? withEchoes(messages) : messages, program, true);
  return { length: program.length, pieces: piecesOf(program, pending) };
}

function* piecesOf(program: ProgramWriter, pending: readonly Pending[]): Generator<Uint8Array, void> {
  const bytes = program.bytes();
  let at = 0;
  for (const [i, hole] of program.holes.entries()) {
    yield bytes.subarray(at, hole.at);
    at = hole.at;
    const { elements } = pending[i] as Pending;
    const { stride } = packedOffsets(elements);
    const rows = new Uint8Array(elements.view === undefined ? stride * Math.min(STEP, elements.length) : 0);
    for (let from = 0; from < elements.length; from += STEP) {
      const to = Math.min(from + STEP, elements.length);
      if (elements.view !== undefined) {
        yield elements.view(from, to);
        continue;
      }
      if (from > 0) rows.fill(0);
      if (!elements.write(rows, from, to)) throw new UnpackableError();
      yield rows.subarray(0, stride * (to - from));
    }
  }
  yield bytes.subarray(at);
}

/** Writes everything but the rows, for which it makes room, or which it leaves out. */
function begun(messages: Iterable<OutgoingMessage>, program: ProgramWriter, aside = false): Pending[] {
  const pending: Pending[] = [];
  for (const message of messages) {
    scratch.truncate(0);
    if (message.kind === 'elements') encodeElementList(message, program, pending, aside);
    else {
      encode(message.schema, message.value, scratch);
      program.message(message, scratch.bytes());
    }
  }
  return pending;
}

function encodeElementList(
  message: ElementsMessage,
  program: ProgramWriter,
  pending: Pending[],
  aside: boolean,
): void {
  const { table, set, setId, elements } = message;
  encode(elementList, setId === undefined ? { table, set } : { table, set, setId }, scratch);
  const prefix = scratch.bytes();
  if (elements instanceof PackedElements) {
    const { key, data: size, verdicts, timeouts } = elements;
    const choices = verdicts?.map(encodedData);
    const at = program.rows(message, prefix, { key, data: size, choices, timeouts }, elements.length, aside);
    pending.push({ elements, at });
    return;
  }
  const sizes = uniformSizes(elements);
  if (sizes !== undefined) {
    const list = program.packedElements(message, prefix, sizes);
    for (const { key, keyEnd, data, flags, joined } of elements) {
      list.add(
        { key: key as Uint8Array, end: keyEnd as Uint8Array, data: data as Uint8Array },
        flags ?? 0,
        joined,
      );
    }
    return;
  }
  const list = program.elements(message, prefix);
  for (const element of elements) {
    scratch.truncate(0);
    writeElement(element, scratch);
    list.add(scratch.bytes(), element.joined);
  }
}

/** Sizes that all elements share, where they are nothing but keys and plain data. */
function uniformSizes(
  elements: readonly SetElement[],
): { key: number; end: number; data: number } | undefined {
  const [first] = elements;
  if (first?.key === undefined || (first.data !== undefined && !(first.data instanceof Uint8Array)))
    return undefined;
  const key = first.key.length;
  const end = first.keyEnd?.length ?? 0;
  const data = first.data?.length ?? 0;
  for (const element of elements) {
    const plain =
      element.key?.length === key &&
      (element.keyEnd?.length ?? 0) === end &&
      (element.data === undefined ? 0 : element.data instanceof Uint8Array ? element.data.length : -1) ===
        data &&
      element.object === undefined &&
      element.timeout === undefined &&
      element.expiration === undefined &&
      element.expressions === undefined &&
      element.comment === undefined &&
      element.open !== true;
    if (!plain) return undefined;
  }
  return { key, end, data };
}

/** NFTA_SET_ELEM_DATA */
function encodedData(data: Data): Uint8Array {
  const writer = new AttributeWriter(64);
  encode(elementSchema, { data }, writer);
  return writer.bytes();
}

function writeElement(element: SetElement, writer: AttributeWriter): void {
  const { key, keyEnd, data, object, flags, timeout, expiration, expressions } = element;
  const userdata = writeElementUserdata(element);
  encode(
    elementSchema,
    {
      ...(flags ? { flags } : {}),
      ...(timeout === undefined ? {} : { timeout }),
      ...(expiration === undefined ? {} : { expiration }),
      ...(key === undefined ? {} : { key }),
      ...(keyEnd === undefined ? {} : { keyEnd }),
      ...(data === undefined ? {} : { data }),
      ...(object === undefined ? {} : { object }),
      ...(userdata === undefined ? {} : { userdata }),
      ...(expressions?.length === 1 ? { expression: expressions[0] } : {}),
      ...(expressions !== undefined && expressions.length > 1 ? { expressions } : {}),
    },
    writer,
  );
}
