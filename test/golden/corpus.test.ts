import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import { CompileError } from '../../src/linearize/index.ts';
import { parse, type RulesetElement, stringify } from '../../src/model/index.ts';
import { compileCommands } from '../../src/transaction/index.ts';
import { type CorpusRule, corpusRules } from '../support/corpus.ts';
import { Namespace } from '../support/frames/namespace.ts';
import { type Answer, askJson, askText, comparable, tableOf } from '../support/nft-oracle.ts';
import { requires } from '../support/requirements.ts';

// Times of day are local, here and for nft.
process.env.TZ = 'UTC-2';

/** Commands in nft syntax, on one line, that make a rule of the corpus in a table of its own. */
function commandsOf({ family, base, declarations, rule }: CorpusRule, index: number, rules = [rule]): string {
  const at = `${family} ${tableOf(index)}`;
  return [
    `add table ${at}`,
    `add chain ${at} c { ${base} }`,
    ...declarations.map((text) => text.replace(/^((?:ct )?\w+) (.*)$/, `add $1 ${at} $2`)),
    ...rules.map((text) => `add rule ${at} c ${text}`),
  ].join('; ');
}

/** So many cases share a namespace: the kernel holds 1024 chains at one hook. */
const together = 300;

interface Loaded {
  /** Why nft or the kernel refused a case. */
  readonly refused: ReadonlyMap<number, string>;
  /** What nft lists of the others, as commands. */
  readonly listed: ReadonlyMap<number, readonly Add[]>;
}

interface Add {
  readonly add: RulesetElement;
}

/** Loads what can be loaded, one case a line, and lists it. */
function load(lines: readonly (readonly [number, string])[]): Loaded {
  const refused = new Map<number, string>();
  const listed = new Map<number, Add[]>();
  for (let i = 0; i < lines.length; i += together) {
    using namespace = new Namespace();
    namespace.run('ip', ['link', 'set', 'lo', 'up']);
    for (const [index, why] of loadTogether(namespace, lines.slice(i, i + together))) refused.set(index, why);
    const { nftables } = parse(namespace.run('nft', ['-j', 'list', 'ruleset']));
    for (const item of nftables) {
      if ('metainfo' in item) continue;
      const [[kind, node]] = Object.entries(item) as [[string, { table: string; name: string }]];
      const index = Number((kind === 'table' ? node.name : node.table).slice(1));
      listed.set(index, [...(listed.get(index) ?? []), { add: item as RulesetElement }]);
    }
  }
  return { refused, listed };
}

function loadTogether(
  namespace: Namespace,
  lines: readonly (readonly [number, string])[],
): Map<number, string> {
  const refused = new Map<number, string>();
  const open = new Map(lines);
  for (;;) {
    const indices = [...open.keys()];
    const input = [...open.values()].join('\n');
    const inside = [`--net=${namespace.path}`, 'sh', '-c', 'cat | nft -f -'];
    const { status, stderr } = spawnSync('nsenter', inside, { input, encoding: 'utf8', maxBuffer: 1 << 26 });
    if (status === 0) return refused;
    const before = refused.size;
    for (const [, line, why = ''] of stderr.matchAll(/^\/dev\/stdin:(\d+):\S+ (Error: .*)/gm)) {
      const index = indices[Number(line) - 1] as number;
      refused.set(index, why);
      open.delete(index);
    }
    if (refused.size === before) throw new Error(stderr);
  }
}

function ours(commands: Parameters<typeof compileCommands>[0]): Answer {
  try {
    return { lines: compileCommands(commands).flat() };
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    return { error: error.message };
  }
}

const shown = (answer: Answer | undefined) =>
  answer === undefined ? ['nothing'] : 'error' in answer ? [answer.error] : comparable(answer.lines);
const same = (a: Answer | undefined, b: Answer | undefined) => String(shown(a)) === String(shown(b));

suite('the corpus', requires('root', 'netns', 'nft'), () => {
  test('every rule compiles to the bytecode that nft makes of it', async () => {
    const rules = corpusRules();
    assert.ok(rules.length >= 1000, `only ${rules.length} rules`);
    const texts = rules.map((rule, i) => commandsOf(rule, i));
    const fromText = askText(texts);

    const { refused, listed } = load(
      rules.flatMap((rule, i) =>
        'error' in (fromText[i] as Answer)
          ? []
          : [[i, commandsOf(rule, i, rule.expr ? [] : [rule.rule])] as const],
      ),
    );
    const problems: string[] = [];
    rules.forEach((rule, i) => {
      const why = refused.get(i);
      const answer = fromText[i] as Answer;
      if (why !== undefined) problems.push(`${rule.place}: ${rule.rule}: ${why}`);
      else if ('error' in answer) problems.push(`${rule.place}: ${rule.rule}: ${answer.error}`);
    });
    const cases = rules.map((rule, i) => complete(rule, i, listed.get(i) ?? []));
    const fromJson = askJson(
      cases.map((commands) => commands.map((part) => stringify(part as never)).join(',')),
    );
    rules.forEach((rule, i) => {
      if (refused.has(i) || 'error' in (fromText[i] as Answer)) return;
      const compiled = ours(cases[i] as never);
      // Where nft lists something else than it was given, what it makes of its own listing counts.
      if (same(compiled, fromText[i]) || (!same(fromText[i], fromJson[i]) && same(compiled, fromJson[i])))
        return;
      problems.push(difference(rule, cases[i], compiled, fromText[i] as Answer, fromJson[i] as Answer));
    });
    assert.equal(problems.length, 0, `${problems.length} of ${rules.length}:\n${problems.join('\n')}`);
  });
});

function difference(
  rule: CorpusRule,
  commands: unknown,
  compiled: Answer,
  text: Answer,
  json: Answer,
): string {
  return [
    `${rule.place}: ${rule.family} { ${rule.base} } ${rule.rule}`,
    `  json: ${stringify((commands as { add: { rule?: { expr: unknown } } }[]).at(-1)?.add.rule?.expr as never)}`,
    `  ours: ${shown(compiled).join(' ')}`,
    `  nft:  ${shown(text).join(' ')}`,
    ...(same(text, json) ? [] : [`  nft of the JSON: ${shown(json).join(' ')}`]),
  ].join('\n');
}

/** The listing, with what nft 1.0.6 leaves out of it, a chain's device, and the rule where the corpus has it. */
function complete({ family, base, expr }: CorpusRule, index: number, commands: readonly Add[]): object[] {
  const device = /device (\S+)/.exec(base)?.[1];
  const listed = commands.map(({ add }) =>
    'chain' in add && 'hook' in add.chain && device
      ? { add: { chain: { ...add.chain, dev: device } } }
      : { add },
  );
  return expr ? [...listed, { add: { rule: { family, table: tableOf(index), chain: 'c', expr } } }] : listed;
}
