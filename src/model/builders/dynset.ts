import { ModelError } from '../error.ts';
import type { SetOperation, Statement } from '../statement.ts';
import { type ElementValue, element, elementExpression } from './element.ts';
import { worded } from './plain.ts';

/** What a rule stores beside the key. */
export interface DynsetOptions {
  /** For a map: the value. */
  readonly data?: ElementValue;
  /** Seconds until the element expires. */
  readonly timeout?: number;
  /** What the element carries: `counter()`, `limit(…)`, `quota(…)`, `ctCount(…)`, `last()`. */
  readonly statements?: readonly Statement[];
}

function operation(op: SetOperation) {
  return (set: `@${string}`, key: ElementValue, options: DynsetOptions = {}): Statement => {
    if (set === '@') throw new ModelError('a set reference needs a name after "@"');
    const { data, timeout, statements: stmt } = options;
    const elem = elementExpression(timeout === undefined ? key : element(key, { timeout }));
    if (data === undefined) return worded({ set: { op, elem, set, stmt } }) as Statement;
    return worded({ map: { op, elem, data: elementExpression(data), map: set, stmt } }) as Statement;
  };
}

/**
 * Changes of a set or map by the packets themselves: `dynset.add('@seen', ip.saddr, { timeout: 60 })`. The
 * set needs the flag `dynamic`, and `timeout` where elements are to expire.
 */
export const dynset = Object.freeze({
  /** Adds the key where it is not there yet. */
  add: operation('add'),
  /** Adds the key, or starts its timeout anew. */
  update: operation('update'),
  /** Deletes the key (Linux 5.10). */
  delete: operation('delete'),
});
