import { quoted } from '../datatype/quoted.ts';

/** A name that a protocol table does not have. */
export class ProtocolLookupError extends Error {
  override readonly name = 'ProtocolLookupError';
  /** The names that would have been valid. */
  readonly valid: readonly string[];

  constructor(what: string, name: string, valid: readonly string[]) {
    super(
      `unknown ${what} ${quoted(name)}: expected ${valid.length ? `one of ${valid.join(', ')}` : 'none'}`,
    );
    this.valid = valid;
  }
}

/** The entry of `table` called `name`; `what` says in the error's words what was looked for. */
export function lookup<T>(what: string, table: Readonly<Record<string, T>>, name: string): T {
  if (typeof name !== 'string' || !Object.hasOwn(table, name))
    throw new ProtocolLookupError(what, name, Object.keys(table));
  return table[name] as T;
}
