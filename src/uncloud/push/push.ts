import { NOTHING } from '../applied.ts';
import type { PushHost, PushHosts } from './hosts.ts';
import { documentOf, type HostPlan, type Plan } from './plan.ts';
import { runOverSsh, type SshOptions, type SshResult } from './ssh.ts';

/** How a push is done; times are in milliseconds. */
export interface PushOptions {
  readonly ssh?: SshOptions;
  /** How many hosts at once; all of them where left out. */
  readonly concurrency?: number;
  /** How long a host may take; default 60,000. */
  readonly timeout?: number;
  /** Ask what would change, and change nothing. */
  readonly dryRun?: boolean;
  /** A host on which nothing is in force, as after a restart, is taken as well as one that is as planned. */
  readonly orNothing?: boolean;
  /** Ends it: hosts that were not asked yet are not. */
  readonly signal?: AbortSignal;
  /** Is told when a host's turn begins, and what came of it. */
  readonly onStart?: (name: string) => void;
  readonly onResult?: (result: PushResult) => void;
}

/**
 * What came of a push to one host:
 *
 * - `applied`: what was planned is in force
 * - `unchanged`: it was in force already
 * - `planned`: a dry run: it would be applied
 * - `refused`: something else was in force than the plan starts from, or the host would not have it
 * - `failed`: the program there ended without doing it
 * - `unknown`: the host did not answer, or not in time: it may be in force or not, and pushing again tells
 * - `not asked`: the push was ended first
 *
 * Nothing was changed where it is `planned`, `refused`, `failed` or `not asked`.
 */
export type PushOutcome =
  | 'applied'
  | 'unchanged'
  | 'planned'
  | 'refused'
  | 'failed'
  | 'unknown'
  | 'not asked';

export interface PushResult {
  readonly name: string;
  readonly outcome: PushOutcome;
  /** What was in force there before, if the host said so. */
  readonly before: string | undefined;
  /** Why, in words; how many commands the transaction has. */
  readonly detail: string;
  /** What the host says beside that: ports that are not there yet, what its kernel does not enforce. */
  readonly notes: readonly string[];
  /** How long it took, in milliseconds. */
  readonly took: number;
}

/** Whether a host has, or would have, what was planned. */
export function isDone({ outcome }: PushResult): boolean {
  return outcome === 'applied' || outcome === 'unchanged' || outcome === 'planned';
}

/** What `nftjs uncloud apply --json` and `check --json` answer, in a line of its own. */
export interface ApplyReply {
  /** What was in force: a hash, `none` or `unknown`. */
  readonly before: string;
  /** What is in force now, or would be. */
  readonly after: string;
  /** Commands of the transaction; none where nothing differed. */
  readonly commands: number;
  /** Why nothing was done, if so. */
  readonly refused?: string;
}

/**
 * Brings the hosts of a plan to what it says, all at once, each by a `nftjs uncloud apply` of its own over ssh,
 * which commits one transaction or nothing. A host on which something else is in force than the plan starts
 * from is left as it is.
 *
 * @param hosts - how they are reached; those that the plan does not have are not asked
 * @returns a result for each host of both, in the order of their names
 */
export async function push(
  plan: Plan,
  hosts: PushHosts,
  { concurrency = Number.MAX_SAFE_INTEGER, signal, ...options }: PushOptions = {},
): Promise<PushResult[]> {
  const text = documents(plan);
  const waiting = Object.keys(plan.hosts)
    .filter((name) => Object.hasOwn(hosts, name))
    .sort();
  const results = new Map<string, PushResult>();
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const planned = plan.hosts[name] as HostPlan;
      if (signal?.aborted !== true) options.onStart?.(name);
      const began = Date.now();
      const answered = await one(hosts[name] as PushHost, planned, () => text(planned), options, signal);
      const result = { name, took: Date.now() - began, ...answered };
      results.set(name, result);
      options.onResult?.(result);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, waiting.length) }, work));
  return [...results.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Hosts that are sent the same share its text. */
function documents(plan: Plan): (planned: HostPlan) => string {
  const known = new Map<string, string>();
  return (planned) => {
    const key = JSON.stringify([planned.host, planned.instead, planned.blocked, planned.to]);
    let text = known.get(key);
    if (text === undefined) known.set(key, (text = JSON.stringify(documentOf(plan, planned))));
    return text;
  };
}

type Answer = Omit<PushResult, 'name' | 'took'>;

async function one(
  host: PushHost,
  planned: HostPlan,
  text: () => string,
  { ssh = {}, timeout = 60_000, dryRun = false, orNothing = false }: PushOptions,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  const nothing = (outcome: PushOutcome, detail: string): Answer => ({
    ...{ outcome, before: undefined, detail, notes: [] },
  });
  if (signal?.aborted) return nothing('not asked', 'the push was ended');
  const expected = orNothing ? [...new Set([planned.from, NOTHING])] : [planned.from];
  const command = [
    ...host.command,
    ...['uncloud', dryRun ? 'check' : 'apply', '--desired', '-', '--json'],
    ...expected.flatMap((hash) => ['--expect', hash]),
    ...(host.netns === undefined ? [] : ['--netns', host.netns]),
  ];
  const late = AbortSignal.timeout(timeout);
  const ending = signal === undefined ? late : AbortSignal.any([signal, late]);
  try {
    return answerOf(await runOverSsh(host, command, text(), ssh, ending), dryRun);
  } catch (error) {
    if (!ending.aborted) return nothing('failed', (error as Error).message);
    const why = signal?.aborted ? 'the push was ended' : `no answer within ${timeout / 1000} seconds`;
    return dryRun ? nothing('failed', why) : nothing('unknown', why);
  }
}

/** ssh's own exit code for what is not the program's. */
const NO_CONNECTION = 255;
/** How what `nftjs uncloud` has to say begins. */
const NOTE = 'uncloud: ';

function answerOf({ code, out, err }: SshResult, dryRun: boolean): Answer {
  const reply = replyOf(out);
  const said = err.split('\n').map(printable);
  if (reply === undefined) {
    const isLost = code === NO_CONNECTION || code === null;
    const otherwise = code === null ? 'ended by a signal' : `exit code ${code}`;
    const detail = said.findLast((line) => line !== '') ?? otherwise;
    return { outcome: isLost && !dryRun ? 'unknown' : 'failed', before: undefined, detail, notes: [] };
  }
  const { before, commands, refused } = reply;
  const notes = said.filter((line) => line.startsWith(NOTE)).map((line) => line.slice(NOTE.length));
  if (refused !== undefined) return { outcome: 'refused', before, detail: printable(refused), notes };
  const outcome = dryRun ? 'planned' : 'applied';
  return { outcome: commands === 0 ? 'unchanged' : outcome, before, detail: `${commands} commands`, notes };
}

/** The last line that is a reply: what the login prints beside it is not ours. */
function replyOf(out: string): ApplyReply | undefined {
  const line = out.split('\n').findLast((text) => text.startsWith('{"uncloud":'));
  if (line === undefined) return undefined;
  try {
    const { uncloud } = JSON.parse(line) as { uncloud: Partial<ApplyReply> | null };
    const { before, after, commands = 0, refused } = uncloud ?? {};
    if (typeof before !== 'string' || typeof after !== 'string' || typeof commands !== 'number')
      return undefined;
    return { before: printable(before), after, commands, ...(typeof refused === 'string' && { refused }) };
  } catch {
    return undefined;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const CONTROL = /[\u0000-\u001f\u007f-\u009f]+/g;

/** What another host says goes to a terminal: without control characters, and not without end. */
function printable(text: string): string {
  return text.replace(CONTROL, ' ').trim().slice(0, 500);
}
