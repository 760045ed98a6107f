/** Something that validation refused, and what became of it. */
export interface Problem {
  /** The store's key: `distributed-firewall/vm/343a`, `…/group/web`, `…/network/virbr0`, or `host`, `policy`. */
  readonly key: string;
  /** Where in that key's value: `.nics[0].mac`; empty for the whole value. */
  readonly path: string;
  /** What is wrong there, in words. */
  readonly why: string;
}

/** Thrown inside validation to leave the record at hand; never leaves the module. */
export class Refused extends Error {
  readonly path: string;

  constructor(path: string, why: string) {
    super(why);
    this.path = path;
  }
}

/** The host description or the policy as a whole is not usable. */
export class UncloudError extends Error implements Problem {
  override readonly name = 'UncloudError';
  readonly key: string;
  readonly path: string;
  readonly why: string;

  constructor(key: string, path: string, why: string) {
    super(`${key}${path}: ${why}`);
    this.key = key;
    this.path = path;
    this.why = why;
  }
}
