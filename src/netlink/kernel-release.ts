import { release } from 'node:os';

/** Whether a kernel is of this release or a later one; this machine's where no other is named. */
export function isKernelSince(major: number, minor: number, kernel: string = release()): boolean {
  const [itsMajor = 0, itsMinor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return itsMajor > major || (itsMajor === major && itsMinor >= minor);
}
