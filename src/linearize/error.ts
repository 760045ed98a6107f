/** A place in the caller's data: a chain of keys, kept as a linked list so that descending is cheap. */
export interface Path {
  readonly parent: Path | undefined;
  readonly key: string | number;
}

/** The place `key` below `parent`. */
export function at(parent: Path | undefined, key: string | number): Path {
  return { parent, key };
}

/** `expr[2].match.right.set[0]` */
export function pathText(path: Path | undefined): string {
  const keys: (string | number)[] = [];
  for (let here = path; here !== undefined; here = here.parent) keys.push(here.key);
  let text = '';
  for (const key of keys.reverse()) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text;
}

/** Input that cannot be meant: the compiler refuses it rather than send something else. */
export class CompileError extends Error {
  override readonly name = 'CompileError';
  /** Where in the caller's data, such as `expr[2].match.right`. */
  readonly path: string;
  /** What is wrong and what would be valid, without the place. */
  readonly reason: string;

  constructor(path: Path | undefined, reason: string, options?: ErrorOptions) {
    const place = pathText(path);
    super(place === '' ? reason : `${place}: ${reason}`, options);
    this.path = place;
    this.reason = reason;
  }
}
