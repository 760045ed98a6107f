import { spawnSync } from 'node:child_process';

/** What nft makes of one case: its bytecode, or why it refuses. */
export type Answer = { readonly lines: readonly string[] } | { readonly error: string };

/** How nft is asked: in its own syntax or in JSON, with the text of each case. */
interface Question {
  readonly args: readonly string[];
  /** Several cases as one line of input: nft takes them all or none. */
  readonly line: (cases: readonly string[]) => string;
}

const json: Question = {
  args: ['-j', '-c', '--debug=netlink'],
  line: (cases) => `{"nftables":[${cases.join(',')}]}`,
};
const text: Question = { args: ['-c', '--debug=netlink'], line: (cases) => cases.join('; ') };

/** The error of a case that nft does not survive. */
export const CRASH = 'nft crashes';

/** Cases that go to the kernel together: it lets each transaction wait for a while. */
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
 * One refused case refuses its whole line, so what a line did not answer is asked again in halves, all halves of
 * a round in one process; a case alone in its line is refused for what nft says there. Where nft crashes (it has
 * assertions), the lines after that are asked again as they are.
 */
function ask(question: Question, cases: readonly string[]): Answer[] {
  const answers = new Map<number, Answer>();
  let open = batches(cases.map((_, i) => i));
  while (open.length > 0) {
    const input = open.map((batch, i) => {
      // A line of no meaning makes nft repeat it in an error: so each line's errors have an end.
      return `${question.line(batch.map((index) => cases[index] as string))}\nend-of-line ${i}\n`;
    });
    const { printed, errors } = run(question.args, input.join(''));
    for (const [index, lines] of printed) answers.set(index, { lines });
    const next: number[][] = [];
    open.forEach((batch, i) => {
      const rest = batch.filter((index) => !answers.has(index));
      const crashed = errors.length === i;
      if (rest.length === 0) return;
      if (errors.length < i) next.push(rest);
      else if (batch.length === 1) answers.set(rest[0] as number, { error: crashed ? CRASH : (errors[i] as string) });
      else next.push(...halves(rest));
    });
    open = next;
  }
  return cases.map((_, i) => answers.get(i) as Answer);
}

function batches(indices: readonly number[]): number[][] {
  const count = Math.ceil(indices.length / batchSize);
  return Array.from({ length: count }, (_, i) => indices.slice(i * batchSize, (i + 1) * batchSize));
}

function halves(batch: readonly number[]): number[][] {
  if (batch.length === 1) return [[...batch]];
  const middle = batch.length >> 1;
  return [batch.slice(0, middle), batch.slice(middle)];
}

interface Output {
  /** Lines of bytecode by case. */
  readonly printed: ReadonlyMap<number, readonly string[]>;
  /** What was wrong with each line of input. */
  readonly errors: readonly string[];
}

function run(args: readonly string[], input: string): Output {
  const command = 'exec stdbuf -oL nft "$@" -i 2>&1';
  const { stdout, error } = spawnSync('unshare', ['--net', 'sh', '-c', command, 'sh', ...args], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 300_000,
    env: { ...process.env, TZ: 'UTC-2' },
  });
  if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  return parse(stdout);
}

function parse(output: string): Output {
  const printed = new Map<number, string[]>();
  const rules = new Set<number>();
  const errors: string[] = [];
  let errorText: string[] = [];
  let current: string[] = [];
  for (const line of output.split('\n')) {
    const end = /^end-of-line (\d+)$/.exec(line);
    const header = /^(?:(?:ip6?|inet|arp|bridge|netdev) t(\d+) \S+|\S+ t(\d+) [0-9a-f]+(?: size \d+)?)\s*$/.exec(line);
    if (end) {
      // The last one is about this line itself.
      errors[Number(end[1])] = errorText.slice(0, -1).join(' ');
      errorText = [];
    } else if (header) {
      const index = Number(header[1] ?? header[2]);
      if (header[1] !== undefined) rules.add(index);
      current = printed.get(index) ?? [];
      printed.set(index, current);
      current.push(line);
    } else if (/^\s+\[|\[end\]/.test(line)) {
      current.push(line);
    } else if (line.includes('Error: ') && !line.includes('Could not process rule')) {
      errorText.push(line.replace(/^internal:\S+ /, ''));
    }
  }
  for (const index of printed.keys()) if (!rules.has(index)) printed.delete(index);
  return { printed, errors };
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
