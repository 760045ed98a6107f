import { native } from './native.ts';
import { translate } from './socket-error.ts';

/**
 * What sd_notify(3) knows of: `READY`, `RELOADING`, `STOPPING`, `STATUS`, `WATCHDOG`, `MONOTONIC_USEC`, `MAINPID`,
 * `EXTEND_TIMEOUT_USEC`, `ERRNO` …
 */
export type ServiceState = Readonly<Record<string, string | number | bigint>>;

/**
 * Tells the service manager what has become of this process, in one datagram of its protocol (sd_notify(3)): what
 * libsystemd's function does, without the library. It neither waits nor starts a program, so that
 * `NotifyAccess=main` is enough.
 *
 * ```ts
 * notifyServiceManager({ READY: 1, STATUS: 'rules are in force' });
 * ```
 *
 * @param state - assignments; line breaks in values become spaces
 * @param socket - the address, a path or `@` and an abstract name; NOTIFY_SOCKET where left out
 * @returns whether there is a service manager that wants to know
 * @throws NetlinkSocketError as the system call says: `ENOENT`, `ECONNREFUSED`, `EAGAIN` where it is far behind
 */
export function notifyServiceManager(
  state: ServiceState,
  socket: string | undefined = process.env.NOTIFY_SOCKET,
): boolean {
  if (socket === undefined || socket === '') return false;
  const lines = Object.entries(state).map(
    ([name, value]) => `${name}=${String(value).replace(/[\r\n]+/g, ' ')}`,
  );
  translate(() => native().notify(socket, lines.join('\n')));
  return true;
}
