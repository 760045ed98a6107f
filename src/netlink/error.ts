import type { Ruleset } from '../model/index.ts';
import { stringify } from '../model/index.ts';
import { errnoAdvice } from './errno.ts';
import type { SubmitError } from './submit-result.ts';

/** What became of a transaction that was not committed. */
export type Outcome = 'refused' | 'unknown';

/** One operation that the kernel refused. */
export interface Refusal {
  /** As `ENOENT`. */
  readonly code: string;
  readonly errno: number;
  /** The index of the command in the caller's list; absent where the batch as a whole was refused. */
  readonly operation?: number;
  /** The command itself. */
  readonly command?: Ruleset['nftables'][number];
  /** Where in the caller's data: `nftables[3].add.element.elem[17]`. */
  readonly path?: string;
  /** The first and last element of the refused message, as indices into the command's elements. */
  readonly elements?: { readonly first: number; readonly last: number };
  /** The kernel's own words (extended acknowledgement), often empty. */
  readonly message: string;
  /** The attribute that the kernel objects to: numbers from the outside in, and where it starts. */
  readonly attribute?: readonly number[];
  readonly offset?: number;
}

/**
 * A transaction was not committed. `outcome` says whether that is sure: `refused` means that nothing of it
 * took effect; `unknown` that the kernel's answer was lost and the generation does not tell.
 */
export class TransactionError extends Error {
  override readonly name = 'TransactionError';
  readonly outcome: Outcome;
  /** The first refusal: later ones may follow from it. */
  readonly code: string;
  readonly errno: number;
  /** The system call that told. */
  readonly syscall = 'recvmsg';
  readonly operation: number | undefined;
  readonly command: Ruleset['nftables'][number] | undefined;
  readonly path: string | undefined;
  /** What can be done about it, in words. */
  readonly advice: string | undefined;
  /** Everything that the kernel refused. */
  readonly refusals: readonly Refusal[];

  constructor(outcome: Outcome, refusals: readonly Refusal[]) {
    const [first] = refusals;
    super(
      first === undefined
        ? 'the kernel did not say what became of the transaction'
        : sentence(first, refusals.length - 1),
    );
    this.outcome = outcome;
    this.refusals = refusals;
    this.code = first?.code ?? 'ENOBUFS';
    this.errno = first?.errno ?? 105;
    this.operation = first?.operation;
    this.command = first?.command;
    this.path = first?.path;
    this.advice = errnoAdvice(this.code);
  }
}

const LONGEST = 160;

function sentence(refusal: Refusal, more: number): string {
  const what = refusal.command === undefined ? 'the transaction' : stringify(refusal.command);
  const shown = what.length > LONGEST ? `${what.slice(0, LONGEST)}…` : what;
  const place = refusal.path === undefined ? '' : `${refusal.path}: `;
  const words = refusal.message === '' ? '' : `: ${refusal.message}`;
  const advice = errnoAdvice(refusal.code);
  return `${place}${refusal.code}${words}, for ${shown}${advice === undefined ? '' : ` (${advice})`}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The kernel's reports with the caller's own commands put to them. */
export function refusalsOf(
  errors: readonly SubmitError[],
  commands: Ruleset['nftables'],
  root: string,
  source: (error: SubmitError) => number | undefined,
): Refusal[] {
  return errors.map((error) => {
    const command = error.operation === undefined ? undefined : commands[error.operation];
    return {
      code: error.code,
      errno: error.errno,
      message: error.message,
      ...(error.operation === undefined ? {} : { operation: error.operation }),
      ...(command === undefined ? {} : { command, path: placeOf(error, command, root, source(error)) }),
      ...(error.elements === undefined ? {} : { elements: error.elements }),
      ...(error.attribute === undefined ? {} : { attribute: error.attribute }),
      ...(error.offset === undefined ? {} : { offset: error.offset }),
    };
  });
}

function placeOf(error: SubmitError, command: object, root: string, element: number | undefined): string {
  const [verb] = Object.keys(command);
  const inner = Object.values(command)[0] as object | null;
  const nested =
    inner !== null && typeof inner === 'object' && Object.keys(inner).length === 1
      ? `.${Object.keys(inner)[0]}`
      : '';
  const place = `${root}[${error.operation}].${verb}${nested}`;
  return element === undefined ? place : `${place}.elem[${element}]`;
}
