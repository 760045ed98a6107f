import { type CliCommand, UsageError } from './command.ts';

interface Bench {
  run(args: readonly string[], streams: Pick<typeof process, 'stdout' | 'stderr'>): Promise<number>;
}

/** The benchmarks are no part of the library: they lie beside it, and are loaded when they are asked for. */
const BENCH = import.meta.url.endsWith('.ts') ? '../../bench/run.ts' : '../bench/run.js';

export const bench: CliCommand = {
  name: 'bench',
  summary: 'measure nftjs against its rivals and the kernel',
  help: `Usage: nftjs bench [--suite NAME]… [--driver NAME]… [--size N]… [--trials N] [--quick|--full] [--json FILE|-] [--html FILE]

Measures what nftjs takes beside nft, libnftables and others, and beside the kernel's own time. Each trial runs
in a process and a network namespace of its own; nothing outside of them is touched. Needs root and unshare(1).
Rivals that are not installed are left out. Packets are measured from a checkout of the repository only.

Options:
  --suite NAME            bulk, churn, packet, rules, list, memory, startup and more: all of them without it
  --driver NAME           limit, nftjs, nft, libnftables and others: all that are installed without it
  --size N                elements, rules, VMs: all that the scale has without it
  --trials N              trials of each case and driver (3; 1 with --quick)
  --quick                 small sizes of the main suites: less than a minute
  --full                  sizes up to a million
  --json FILE             the figures as JSON; - for standard output, in place of the table
  --html FILE             the figures as a page with plots, which needs nothing else

Example:
  nftjs bench --quick --html figures.html`,
  async run(args) {
    const { run } = (await import(new URL(BENCH, import.meta.url).href)) as Bench;
    try {
      return await run(args, process);
    } catch (error) {
      if ((error as Error).name === 'BenchUsageError') throw new UsageError((error as Error).message);
      throw error;
    }
  },
};
