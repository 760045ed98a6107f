import type { Feed } from '../index.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Takes events until there are no more or the process is told to end, which is no failure. */
export async function interruptible<T>(events: Feed<T>, take: (event: T) => void): Promise<void> {
  const end = () => events.close();
  for (const signal of SIGNALS) process.once(signal, end);
  try {
    for await (const event of events) take(event);
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, end);
  }
}
