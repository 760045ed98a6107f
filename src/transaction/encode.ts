import { type SetElement, writeElementUserdata } from '../bytecode/index.ts';
import { elementList, element as elementSchema } from '../message/index.ts';
import { AttributeWriter } from '../wire/attribute-writer.ts';
import { type ProgramOptions, ProgramWriter } from '../wire/program.ts';
import { encode } from '../wire/schema.ts';
import type { ElementsMessage, OutgoingMessage } from './message.ts';

/** Writes messages into a program for the addon. */
export function encodeMessages(messages: readonly OutgoingMessage[], options: ProgramOptions): ProgramWriter {
  const program = new ProgramWriter(options, 4096);
  const scratch = new AttributeWriter(4096);
  for (const message of messages) {
    scratch.truncate(0);
    if (message.kind === 'elements') encodeElementList(message, program, scratch);
    else {
      encode(message.schema, message.value, scratch);
      program.message(message, scratch.bytes());
    }
  }
  return program;
}

function encodeElementList(message: ElementsMessage, program: ProgramWriter, scratch: AttributeWriter): void {
  const { table, set, setId, elements } = message;
  encode(elementList, { table, set, ...(setId === undefined ? {} : { setId }) }, scratch);
  const prefix = scratch.bytes().slice();
  if ('rows' in elements) {
    program.packedRows(message, prefix, elements, elements.length, elements.rows);
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
