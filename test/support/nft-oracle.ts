import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What nft makes of one case: its bytecode, or why it refuses. */
export type Answer = { readonly lines: readonly string[] } | { readonly error: string };

/** How nft is asked: in its own syntax or in JSON, with the text of several cases, of which it takes all or none. */
interface Question {
  readonly args: readonly string[];
  readonly join: (cases: readonly string[]) => string;
}

const json: Question = { args: ['-j'], join: (cases) => `{"nftables":[${cases.join(',')}]}` };
const text: Question = { args: [], join: (cases) => `${cases.join('\n')}\n` };

/** The error of a case that nft does not survive: it has assertions. */
export const CRASH = 'nft crashes';

/** Cases that go to nft together. */
const batchSize = 100;

/** The name of the table that a case has to itself; by it nft's output is told apart. */
export const tableOf = (index: number): string => `t${index}`;

/**
 * The bytecode that nft makes of commands in JSON, without the outer brackets. Case `i` works in table
 * `tableOf(i)` and adds one rule. Whether the kernel would take them does not matter: nft prints what it is
 * about to send.
 */
export const askJson = (cases: readonly string[]): Answer[] => ask(json, cases);

/** The same for commands in nft syntax, on one line. */
export const askText = (cases: readonly string[]): Answer[] => ask(text, cases);

/**
 * One refused case refuses its whole batch, so what a batch did not answer is asked again in parts; a case alone
 * is refused for what nft says then.
 */
function ask(question: Question, cases: readonly string[]): Answer[] {
  const answers = new Map<number, Answer>();
  let open = split(byEffect(cases), batchSize);
  while (open.length > 0) {
    const outputs = run(
      question.args,
      open.map((batch) => question.join(batch.map((i) => cases[i] as string))),
    );
    const next: number[][] = [];
    open.forEach((batch, i) => {
      const { printed, error } = outputs[i] as Output;
      for (const [index, lines] of printed) answers.set(index, { lines });
      const rest = batch.filter((index) => !answers.has(index));
      if (batch.length === 1) for (const index of rest) answers.set(index, { error });
      else if (rest.length > 0) next.push(...split(rest, Math.ceil(rest.length / 5)));
    });
    open = next;
  }
  return cases.map((_, i) => answers.get(i) as Answer);
}

/** Cases that make tables apart from those that do not: the kernel waits a while where it has made something. */
function byEffect(cases: readonly string[]): number[] {
  const creates = (index: number) => Number(/"add":\{"table"|add table/.test(cases[index] as string));
  return cases.map((_, i) => i).sort((a, b) => creates(a) - creates(b));
}

function split(indices: readonly number[], size: number): number[][] {
  const count = Math.ceil(indices.length / size);
  return Array.from({ length: count }, (_, i) => indices.slice(i * size, (i + 1) * size));
}

interface Output {
  /** Lines of bytecode by case. */
  readonly printed: ReadonlyMap<number, readonly string[]>;
  readonly error: string;
}

const separator = '--- end of batch';

/** Runs nft once for each input, in a network namespace that is gone afterwards. */
function run(args: readonly string[], inputs: readonly string[]): Output[] {
  const directory = mkdtempSync(join(tmpdir(), 'nftjs-oracle-'));
  try {
    inputs.forEach((input, i) => {
      writeFileSync(join(directory, String(i)), input);
    });
    // Errors come after the bytecode: mixed, one would stand in the middle of a line of the other.
    const loop = `i=0; while [ -e $i ]; do
      nft "$@" -c --debug=netlink -f $i 2>errors; status=$?; cat errors; echo; echo "$SEPARATOR $status"; i=$((i+1))
    done`;
    const { stdout, error } = spawnSync('unshare', ['--net', 'sh', '-c', loop, 'sh', ...args], {
      cwd: directory,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: { ...process.env, TZ: 'UTC-2', SEPARATOR: separator },
      // The shell itself says when a program it ran was killed; nft's own words are on standard output.
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    if (error) throw error;
    const parts = stdout.split(new RegExp(`${separator} (\\d+)\n`));
    return inputs.map((_, i) => parse(parts[2 * i] as string, Number(parts[2 * i + 1])));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function parse(output: string, status: number): Output {
  const printed = new Map<number, string[]>();
  const rules = new Set<number>();
  const errors: string[] = [];
  let current: string[] = [];
  for (const line of output.split('\n')) {
    const header = /^(?:(?:ip6?|inet|arp|bridge|netdev) t(\d+) \S+|\S+ t(\d+) [0-9a-f]+(?: .*)?)\s*$/.exec(
      line,
    );
    if (header) {
      const index = Number(header[1] ?? header[2]);
      if (header[1] !== undefined) rules.add(index);
      current = printed.get(index) ?? [];
      printed.set(index, current);
      current.push(line);
    } else if (/^\s+\[|\[end\]/.test(line)) {
      current.push(line);
    } else if (line.includes('Error: ') && !line.includes('Could not process rule')) {
      errors.push(line.replace(/^\S+ (?=Error)/, ''));
    }
  }
  for (const index of printed.keys()) if (!rules.has(index)) printed.delete(index);
  // What a crashing nft said last is cut off somewhere.
  if (status > 1) printed.delete([...printed.keys()].at(-1) as number);
  return { printed, error: status > 1 ? CRASH : errors.join(' ') };
}

const fold = (line: string) => line.trim().replace(/\s+/g, ' ');

/**
 * Lines of bytecode in a form that can be compared: the elements of a set in whatever order, flags and size of
 * anonymous sets, no names of tables and chains.
 */
export function comparable(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    if (line.includes('[end]')) {
      return [line.split('[end]').map(fold).filter(Boolean).sort().join(' [end] ')];
    }
    if (line.trim().startsWith('[')) return [fold(line)];
    const set = /^(__\S+) \S+ ([0-9a-f]+(?: size \d+)?)\s*$/.exec(line);
    return set && set[2] !== '0' ? [`${set[1]} ${set[2]}`] : [];
  });
}
