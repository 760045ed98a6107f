import { until } from '../wait.ts';

/**
 * Waits until so many ports of bridges forward: the kernel lets a port do so once it has noticed, in its own time, that
 * its far end is up.
 *
 * @param show - what `bridge -j link show` says
 */
export function forwarding(show: () => string, count: number): Promise<void> {
  const ports = (): readonly { state?: string }[] => JSON.parse(show());
  return until(
    () => `${count} ports forward: ${JSON.stringify(ports())}`,
    () => ports().filter(({ state }) => state === 'forwarding').length === count,
  );
}
