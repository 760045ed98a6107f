import { isDone, type PushResult, push } from '../uncloud/index.ts';
import { EXIT, type Io, UsageError } from './command.ts';
import { parseOptions } from './options.ts';
import { Progress } from './progress.ts';
import { readHosts, readPlan } from './uncloud-plan.ts';

export const pushHelp = `Usage: nftjs uncloud push --hosts FILE PLAN [OPTIONS]

Brings hosts to what a plan says, all at once: \`nftjs uncloud apply\` on each over ssh, one transaction or nothing.
A host on which something else is in force than the plan starts from is left as it is. Pushing again is safe: a
host that has what is planned says so. Exit code 1 unless all hosts have it.

  --hosts FILE            how the hosts are reached, as for plan; hosts that the plan does not have are left alone
  --only NAME             this host alone; several may be named
  --or-none               hosts where nothing is in force, as after a restart, are as good as those that are as planned
  --dry-run               have the kernels validate it, and say what is in force and what would be sent
  --user NAME             the user of hosts that do not say one
  --ssh PROGRAM           ssh itself (ssh)
  --ssh-option OPTION     what ssh takes with -o, such as IdentityFile=/root/key; several may be named
  --concurrency N         so many hosts at once (all)
  --timeout SECONDS       how long a host may take (60)
  --json                  an object a host

What is said of a host: applied, unchanged (it was in force), planned (by --dry-run), refused, failed and not asked
(nothing was changed), or unknown (no answer: push again to know).

Example:
  nftjs uncloud plan --hosts hosts.json --host host.json --policy policy.json --out plan.json
  nftjs uncloud push --hosts hosts.json plan.json`;

/** `nftjs uncloud push`. */
export async function runPush(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseOptions(
    args,
    {
      hosts: { type: 'string' },
      only: { type: 'string', multiple: true },
      'or-none': { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      user: { type: 'string' },
      ssh: { type: 'string' },
      'ssh-option': { type: 'string', multiple: true },
      concurrency: { type: 'string' },
      timeout: { type: 'string', default: '60' },
      json: { type: 'boolean' },
    },
    [1, 1],
  );
  if (values.hosts === undefined) throw new UsageError('--hosts is needed');
  const concurrency = Number(values.concurrency ?? Number.MAX_SAFE_INTEGER);
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new UsageError('--concurrency is a number of hosts');
  const timeout = Number(values.timeout) * 1000;
  if (!(timeout > 0 && timeout < 2 ** 31)) throw new UsageError('--timeout is a number of seconds');
  if (values.user !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/.test(values.user))
    throw new UsageError('--user is not the name of a user');
  const plan = await readPlan(positionals[0] as string, io);
  const hosts = await readHosts(values.hosts, io);
  const lost = Object.keys(plan.hosts).filter((name) => !Object.hasOwn(hosts, name));
  for (const name of lost) io.err(`uncloud: ${values.hosts} does not say how ${name} is reached\n`);
  const { only } = values;
  const stranger = only?.find((name) => !Object.hasOwn(plan.hosts, name) || !Object.hasOwn(hosts, name));
  if (stranger !== undefined) throw new UsageError(`${stranger} is not in the plan and the list of hosts`);
  const asked = Object.entries(hosts).filter(
    ([name]) => Object.hasOwn(plan.hosts, name) && (only === undefined || only.includes(name)),
  );

  const ending = new AbortController();
  const end = () => ending.abort(new Error('told to end'));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, end);
  const progress = new Progress(io, asked.length);
  let results: PushResult[];
  try {
    results = await push(plan, Object.fromEntries(asked), {
      concurrency,
      timeout,
      dryRun: values['dry-run'],
      orNothing: values['or-none'],
      signal: ending.signal,
      ssh: {
        ...(values.ssh !== undefined && { program: values.ssh }),
        ...(values['ssh-option'] && { options: values['ssh-option'] }),
        ...(values.user !== undefined && { user: values.user }),
      },
      onStart: (name) => progress.start(name),
      onResult: (result) => {
        const { name, outcome, detail } = result;
        progress.end(name, isDone(result), `${name}: ${outcome}: ${detail}`);
        for (const note of result.notes) progress.say(`${name}: ${note}`);
      },
    });
  } finally {
    progress.close();
    for (const signal of signals) process.off(signal, end);
  }
  if (values.json) for (const result of results) io.out(`${JSON.stringify(result)}\n`);
  else io.out(table(results));
  const isAll = results.every(isDone) && (only !== undefined || lost.length === 0);
  return isAll ? EXIT.success : EXIT.failure;
}

/** A host a line, in columns; and how many came to what. */
function table(results: readonly PushResult[]): string {
  const rows = [
    ['HOST', 'RESULT', 'BEFORE', 'SECONDS', ''],
    ...results.map(({ name, outcome, before = '', took, detail }) => [
      name,
      outcome,
      /^[0-9a-f]{64}$/.test(before) ? before.slice(0, 12) : before,
      (took / 1000).toFixed(1),
      detail,
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const counts = new Map<string, number>();
  for (const { outcome } of results) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const sum = [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  return `${lines.join('\n')}\n${sum || 'no host'}\n`;
}
