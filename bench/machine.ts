import { cpus, release, totalmem } from 'node:os';

/** What the figures were measured on, in a line. */
export function machine(): string {
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpu?.model.trim() ?? process.arch}, ${cpus().length} CPUs, ${memory} GiB; Linux ${release()}; Node ${process.version}`;
}
