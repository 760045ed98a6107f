import { ModelError } from '../error.ts';
import { shown } from '../inspect.ts';

/**
 * A frozen copy that is nothing but objects, arrays and literals, so that it compares, clones and prints
 * as the JSON that it is. Operands become their expressions, properties without a value go. What is frozen
 * already is shared, not copied.
 *
 * @throws ModelError for what JSON cannot hold: functions, symbols, NaN, infinities
 */
export function plain<T>(value: T): T;
export function plain(value: unknown): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new ModelError(`a ${typeof value} has no place in a ruleset`);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new ModelError(`${value} has no place in a ruleset`);
  }
  if (typeof value !== 'object' || value === null) return value;
  if ('toJSON' in value && typeof value.toJSON === 'function') return plain(value.toJSON());
  if (Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(plain));
  return Object.freeze(copied(value));
}

/** As {@link plain}, for what has words of its own in nft's syntax. */
export function worded<T extends object>(value: T): T {
  return Object.freeze(shown(copied(value))) as T;
}

function copied(value: object): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) if (part !== undefined) copy[key] = plain(part);
  return copy;
}
