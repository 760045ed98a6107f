import { constants } from 'node:os';

/** Numbers that Linux has and `node:os` does not name (asm-generic/errno.h, linux/errno.h). */
const MISSING = { ERESTART: 85, ESHUTDOWN: 108, EUCLEAN: 117, ENOTSUPP: 524 };

/** Of two names for one number, those that nf_tables means; the last one counts. */
const MEANT = { EAGAIN: constants.errno.EAGAIN, EOPNOTSUPP: constants.errno.EOPNOTSUPP };

const NAMES: ReadonlyMap<number, string> = new Map(
  [constants.errno, MISSING, MEANT].flatMap((names) =>
    Object.entries(names).map(([name, number]): [number, string] => [number, name]),
  ),
);

/** The name of an error number, as `ENOENT` of 2; `E` and the number where it has none. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `E${errno}`;
}

const NUMBERS: ReadonlyMap<string, number> = new Map([...NAMES].map(([number, name]) => [name, number]));

/**
 * The number of an error, as 2 of `ENOENT`.
 *
 * @throws TypeError for a name that Linux does not have
 */
export function errnoNumber(name: string): number {
  const number = NUMBERS.get(name);
  if (number === undefined) throw new TypeError(`no error is called ${JSON.stringify(name)}`);
  return number;
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOENT:
    'the object named, or one that it refers to, does not exist: add it earlier in the same transaction, or list what is there',
  EEXIST:
    'an object of this name or key exists already: use add instead of create, or delete it earlier in the same transaction',
  EBUSY:
    'the object is in use: first remove the rules and elements that refer to it, in the same transaction if you like',
  EPERM:
    'CAP_NET_ADMIN is needed in the user namespace that owns the network namespace (and CAP_SYS_ADMIN to enter another one); a table with the flag owner can be changed by its owner alone',
  ENOBUFS:
    'the receive buffer overflowed and reports were lost: the status says what became of the transaction; ask for fewer echoes, or open the socket with a larger receive buffer',
  ERESTART:
    'somebody else changed the ruleset since the generation that the transaction was made for: read it again and make a new transaction',
  ENFILE:
    'the set is full: declare a larger size; changing it means to make the set anew, in one transaction',
  EMSGSIZE:
    'the batch is larger than the socket may send at once: raise net.core.wmem_max, run with CAP_NET_ADMIN in the initial user namespace, or split the transaction',
};

/** What the caller can do about an error, in words; nothing where nf_tables gives it no single meaning. */
export function errnoAdvice(code: string): string | undefined {
  return ADVICE[code];
}
