import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Command, RulesetElement, Statement } from '../../src/index.ts';
import { elementsOf, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const accept: readonly Statement[] = [{ accept: null }];
/** Has an anonymous set, which takes a handle of the table before the rule does. */
const inSet: readonly Statement[] = [
  { match: { op: '==', left: { meta: { key: 'mark' } }, right: { set: [1, 2, 3] } } },
  { accept: null },
];

const table = (name: string): RulesetElement[] => [
  { table: { family: 'inet', name } },
  { chain: { family: 'inet', table: name, name: 'c' } },
];

suite('handles of many rules', requires('root', 'netns'), () => {
  test('are those that the kernel lists, whatever stands between them', () =>
    withKernel(async ({ nft }) => {
      const rules = Array.from({ length: 300 }, (_, i): Command => {
        const expr = i % 50 === 7 || i % 50 === 8 ? inSet : accept;
        const rule = {
          family: 'inet',
          table: i % 100 < 60 ? 't' : 'u',
          chain: 'c',
          expr,
          comment: `${i}`,
        } as const;
        return i % 70 > 60 ? { insert: { rule } } : { add: { rule } };
      });
      const before = [...table('t'), ...table('u')].map((add): Command => ({ add }));
      const { handles } = await nft.commit([...before, ...rules]);
      const listed = elementsOf(await nft.list()).flatMap((element) =>
        'rule' in element ? [[element.rule.comment, BigInt(element.rule.handle ?? 0)] as const] : [],
      );
      assert.equal(listed.length, rules.length);
      for (const [comment, handle] of listed)
        assert.equal(handles.get(before.length + Number(comment)), handle, `rule ${comment}`);
    }));
});
