import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { agree, nfts, ours, text } from '../property/agreement.ts';
import type { RuleCase } from '../property/arbitrary/rule.ts';
import { requires } from '../support/requirements.ts';

// Times of day are local, here and for nft.
process.env.TZ = 'UTC-2';

/** How the answers go together: the same, only we take the rule, only nft does. */
type Relation = '=' | '+' | '-';

interface Line {
  readonly relation: Relation;
  /** The reason of a difference. */
  readonly why: string | undefined;
  readonly rule: RuleCase;
}

/**
 * The rules of refusals.txt: `= family:hook [statements] || [sets]`, with `+` where we alone take the rule, with `-`
 * where nft alone does; then the line before says why.
 */
function read(): Line[] {
  const lines: Line[] = [];
  let why: string | undefined;
  for (const line of readFileSync(new URL('refusals.txt', import.meta.url), 'utf8').split('\n')) {
    if (line.startsWith('# ')) why = line.slice(2);
    const match = /^([=+-]) (\w+)(?::(\w+))? (\[.*?)(?: \|\| (\[.*))?$/.exec(line);
    if (match === null) continue;
    const [, relation, family, said, expr, sets] = match;
    const hook = said ?? (family === 'netdev' ? 'ingress' : 'input');
    const rule = {
      packet: { family, hook },
      expr: JSON.parse(expr as string),
      sets: JSON.parse(sets ?? '[]'),
    } as RuleCase;
    lines.push({ relation: relation as Relation, why, rule });
    why = undefined;
  }
  return lines;
}

const lines = read();

suite('what nft refuses and what it takes', requires('root', 'netns', 'nft'), () => {
  test('is what we refuse and take', () => {
    const nft = nfts(lines.map(({ rule }) => rule));
    const failures = lines.flatMap(({ relation, why, rule }, i) => {
      const mine = ours(rule, i);
      const theirs = nft[i] as typeof mine;
      const says = { ours: text(mine), nft: text(theirs) };
      const isRight =
        relation === '='
          ? agree(rule, mine, theirs)
          : why !== undefined && 'error' in (relation === '+' ? theirs : mine) && says.ours !== says.nft;
      return isRight
        ? []
        : [`${relation} ${JSON.stringify(rule)}\n  ours: ${says.ours}\n  nft:  ${says.nft}`];
    });
    assert.ok(lines.length > 200);
    assert.deepEqual(failures, []);
  });
});

suite('every refusal', () => {
  test('names its place in the rule, and what would be valid', () => {
    for (const [i, { rule }] of lines.entries()) {
      const answer = ours(rule, i);
      if ('error' in answer) assert.match(answer.error, /^\[\d+\]\.add\.\w+(\.\w+|\[.*\])*[^:]*: \S.{10}/);
    }
  });
});
