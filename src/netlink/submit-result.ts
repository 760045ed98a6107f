import { errnoName } from './errno.ts';
import type { NativeFailure, NativeOutcome } from './native.ts';

/**
 * What became of a transaction:
 *
 * - `committed`: all of it took effect
 * - `refused`: nothing of it took effect, and `errors` say why
 * - `checked`: the kernel found nothing wrong; a check never takes effect
 * - `unknown`: the kernel's reports were lost and the generation does not tell who changed the ruleset
 */
export type SubmitStatus = 'checked' | 'committed' | 'refused' | 'unknown';

/** One thing that the kernel refused. */
export interface SubmitError extends NativeFailure {
  /** The name of `errno`, as `ENOENT`. */
  readonly code: string;
}

/** A message of the kernel about an object that the transaction made. */
export interface Echo {
  readonly operation: number;
  /** The whole netlink message. */
  readonly message: Uint8Array;
}

/** The answer to a transaction. */
export interface SubmitResult {
  readonly status: SubmitStatus;
  /** The generation that the commit began; only when committed. */
  readonly generation?: number;
  readonly errors: readonly SubmitError[];
  readonly echo: readonly Echo[];
  /** The receive buffer overflowed: the kernel had more errors or echoes to tell than are here. */
  readonly lost: boolean;
  /** Netlink messages in the batch, its begin and end included. */
  readonly messages: number;
  /** Bytes of the batch. */
  readonly bytes: number;
}

/** What the addon says, in names. */
export function submitResult(outcome: NativeOutcome): SubmitResult {
  const { status, generation, lost, messages, bytes, errors, echo, echoIndex } = outcome;
  return {
    status,
    ...(generation === undefined ? {} : { generation }),
    errors: errors?.map((error) => ({ ...error, code: errnoName(error.errno) })) ?? [],
    echo: echo === undefined || echoIndex === undefined ? [] : echoesIn(echo, echoIndex),
    lost,
    messages,
    bytes,
  };
}

function echoesIn(bytes: Uint8Array, index: Uint32Array): Echo[] {
  const echo: Echo[] = [];
  for (let i = 0; i < index.length; i += 3) {
    const [operation, start, length] = index.subarray(i, i + 3) as unknown as [number, number, number];
    echo.push({ operation, message: bytes.subarray(start, start + length) });
  }
  return echo;
}
