import { SET_FLAGS } from '../bytecode/index.ts';
import { MESSAGE, NLM } from '../message/index.ts';
import type { OutgoingMessage } from './message.ts';

/** Messages that make something that has a handle. */
const makers: ReadonlySet<number> = new Set([
  MESSAGE.NEWTABLE,
  MESSAGE.NEWCHAIN,
  MESSAGE.NEWRULE,
  MESSAGE.NEWSET,
  MESSAGE.NEWOBJ,
  MESSAGE.NEWFLOWTABLE,
]);

interface Place {
  readonly table?: string;
  readonly flags?: number;
}

function hasHandle(message: OutgoingMessage): boolean {
  if (message.kind !== 'message' || !makers.has(message.type)) return false;
  const { flags = 0 } = message.value as Place;
  return message.type !== MESSAGE.NEWSET || (flags & SET_FLAGS.anonymous) === 0;
}

/** Whether the second rule of the two is made right behind the first, in the same table. */
function follows(first: OutgoingMessage, second: OutgoingMessage): boolean {
  return (
    first.kind === 'message' &&
    second.kind === 'message' &&
    first.type === MESSAGE.NEWRULE &&
    second.type === MESSAGE.NEWRULE &&
    first.family === second.family &&
    (first.value as Place).table === (second.value as Place).table
  );
}

/**
 * Asks the kernel to send back what has a handle. To write down a rule takes the kernel a third of the time that
 * making it does: of rules that follow one another in a table only the first and the last are asked for. Handles
 * come from one counter of the table, so that where these two are as far apart as the rules are, all are known.
 */
export function* withEchoes(messages: Iterable<OutgoingMessage>): Generator<OutgoingMessage, void> {
  let held: OutgoingMessage | undefined;
  let isFirst = true;
  for (const message of messages) {
    if (held !== undefined) {
      const isLast = !follows(held, message);
      yield isFirst || isLast ? asked(held) : held;
      isFirst = isLast;
    }
    held = message;
  }
  if (held !== undefined) yield asked(held);
}

function asked(message: OutgoingMessage): OutgoingMessage {
  return hasHandle(message) ? { ...message, flags: message.flags | NLM.ECHO } : message;
}
