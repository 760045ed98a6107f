import { ModelError } from '../error.ts';
import type { Elem, Expression, SetExpression } from '../expression.ts';
import type { Verdict } from '../statement.ts';
import { expressionOf, type Value } from './expression.ts';
import { plain, worded } from './plain.ts';

/** What an element may carry beside its value. */
export type ElementProperties = Omit<Elem, 'val'>;

/** An element with a timeout, a comment, a counter … of its own. */
export interface PropertiedElement<V> {
  readonly elem: ElementProperties & { readonly val: V };
}

/** The value of an element: one for each field of the key, in an array where there are several. */
export type ElementValue = Value | readonly Value[];

/** An element of an anonymous set, or the key of one of a map. */
export type ElementInput = ElementValue | PropertiedElement<ElementValue>;

/** Elements of an anonymous map: pairs, an object where the keys are plain text, or the name of a map. */
export type Mapping<Data> =
  | `@${string}`
  | readonly (readonly [key: ElementInput, data: Data])[]
  | { readonly [key: string]: Data };

/** An element with more than its value: `element(['eth0', '10.0.0.1'], { timeout: 60 })`. */
export function element<const V extends ElementValue>(
  value: V,
  properties: ElementProperties,
): PropertiedElement<V> {
  return plain({ elem: { val: value, ...properties } });
}

/** The expression for an element: an array is a concatenation. */
export function elementExpression(input: ElementInput): Expression {
  if (isFields(input)) {
    const fields = input.map(expressionOf);
    if (fields[0] === undefined) throw new ModelError('an element of a concatenation has no fields');
    return plain(fields.length === 1 ? fields[0] : { concat: fields });
  }
  if (typeof input === 'object' && 'elem' in input) {
    return plain({ elem: { ...input.elem, val: elementExpression(input.elem.val) } });
  }
  return expressionOf(input);
}

function isFields(input: ElementInput): input is readonly Value[] {
  return Array.isArray(input);
}

/** An anonymous set: `set(22, 80, range(8000, 8080))`. An array is a concatenation: `set(['eth0', '::1'])`. */
export function set(...elements: readonly ElementInput[]): SetExpression {
  if (elements.length === 0) throw new ModelError('an anonymous set must have an element');
  return worded({ set: elements.map(elementExpression) });
}

/** The expression for the data of a map or verdict map. */
export function mapping(data: Mapping<ElementValue | Verdict>): Expression {
  if (typeof data === 'string') return data;
  const pairs = Array.isArray(data) ? data : Object.entries(data);
  if (pairs.length === 0) throw new ModelError('an anonymous map must have an element');
  return plain({ set: pairs.map(([key, value]) => [elementExpression(key), elementExpression(value)]) });
}
