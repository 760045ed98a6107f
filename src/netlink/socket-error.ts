import { constants } from 'node:os';
import { errnoAdvice, errnoName } from './errno.ts';

/** Bytes of a message before its attributes. */
const HEADERS = 20;

/** A system call failed, or the kernel refused a question. */
export class NetlinkSocketError extends Error {
  override readonly name: string = 'NetlinkSocketError';
  /** As `EPERM`. */
  readonly code: string;
  /** The number of `code`, positive. */
  readonly errno: number;
  /** The system call, or `netlink` where it was the kernel that refused. */
  readonly syscall: string;
  /** What can be done about it, in words. */
  readonly advice: string | undefined;
  /** Where the attribute that the kernel objects to starts, in the attributes of the question. */
  readonly offset: number | undefined;

  constructor(errno: number, syscall: string, detail: string, offset?: number) {
    const code = errnoName(errno);
    super(`${syscall}: ${code}${detail && `: ${detail}`}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    this.advice = errnoAdvice(code);
    this.offset = offset;
  }
}

/** Makes a call of the addon, whose errors become ours. */
export function translate<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw translated(error);
  }
}

export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** The addon's error as ours; anything else as it is. */
export function translated(error: unknown): unknown {
  if (codeOf(error) === 'ABORT_ERR')
    return new NetlinkSocketError(constants.errno.EBADF, 'close', 'the socket was closed');
  if (!(error instanceof Error && 'errno' in error && 'syscall' in error)) return error;
  const { errno, syscall, message } = error as Error & { errno: number; syscall: string };
  const offset = 'offset' in error ? (error.offset as number) - HEADERS : -1;
  return new NetlinkSocketError(errno, syscall, message, offset >= 0 ? offset : undefined);
}
