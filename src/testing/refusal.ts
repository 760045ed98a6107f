import { errnoNumber } from '../netlink/errno.ts';

/** The fake kernel refuses a message. */
export class Refused extends Error {
  override readonly name = 'Refused';
  /** As `ENOENT`. */
  readonly code: string;
  readonly errno: number;
  /** The attribute objected to: numbers from the outside in; empty where the kernel names none. */
  readonly attribute: readonly number[];
  /** Which of several: the element of a list of elements, the instruction of a rule. */
  readonly nth: number | undefined;

  constructor(code: string, attribute: readonly number[] = [], nth?: number) {
    super(code);
    this.code = code;
    this.errno = errnoNumber(code);
    this.attribute = attribute;
    this.nth = nth;
  }
}

/** @throws Refused with this code and attribute unless `condition` holds */
export function demand(condition: unknown, code: string, ...attribute: readonly number[]): asserts condition {
  if (!condition) throw new Refused(code, attribute);
}
