import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Command, formatCommand } from '../../../src/index.ts';

const place = { family: 'inet', table: 't' } as const;
const rule = { ...place, chain: 'c', expr: [{ counter: null }, { drop: null }], comment: 'x' } as const;

/** Commands and what nft calls them. */
const rows: readonly (readonly [Command, string])[] = [
  [{ add: { table: { family: 'inet', name: 't' } } }, 'add table inet t {\n}'],
  [{ create: { chain: { ...place, name: 'c' } } }, 'create chain inet t c {\n}'],
  [{ add: { element: { ...place, name: 's', elem: [1, 2] } } }, 'add element inet t s { 1, 2 }'],
  [{ delete: { element: { ...place, name: 's', elem: [1] } } }, 'delete element inet t s { 1 }'],
  [{ destroy: { element: { ...place, name: 's', elem: [1] } } }, 'destroy element inet t s { 1 }'],
  [{ add: { rule } }, 'add rule inet t c counter drop comment "x"'],
  [{ add: { rule: { ...rule, handle: 4 } } }, 'add rule inet t c handle 4 counter drop comment "x"'],
  [{ insert: { rule: { ...rule, index: 0 } } }, 'insert rule inet t c index 0 counter drop comment "x"'],
  [{ replace: { rule: { ...rule, handle: 4 } } }, 'replace rule inet t c handle 4 counter drop comment "x"'],
  [{ delete: { rule: { ...place, chain: 'c', handle: 4 } } }, 'delete rule inet t c handle 4'],
  [{ delete: { set: { ...place, name: 's' } } }, 'delete set inet t s'],
  [{ delete: { 'ct helper': { ...place, name: 'h' } } }, 'delete ct helper inet t h'],
  [{ destroy: { table: { family: 'inet', name: 't' } } }, 'destroy table inet t'],
  [{ flush: { chain: { ...place, name: 'c' } } }, 'flush chain inet t c'],
  [{ flush: { table: { family: 'inet', name: 't' } } }, 'flush table inet t'],
  [{ flush: { ruleset: null } }, 'flush ruleset'],
  [{ flush: { ruleset: { family: 'ip' } } }, 'flush ruleset ip'],
  [{ flush: { ruleset: {} } }, 'flush ruleset'],
  [{ rename: { chain: { ...place, name: 'c', newname: 'd' } } }, 'rename chain inet t c d'],
];

suite('commands in nft syntax', () => {
  for (const [command, text] of rows) test(text, () => assert.equal(formatCommand(command), text));

  test('what nft cannot say is a comment, in one line', () => {
    const opaque = { ...place, chain: 'c', expr: [{ opaque: { name: 'new', data: '00' } }] } as const;
    for (const command of [
      { add: { rule: opaque } },
      { delete: { set: { ...place, name: 'a b' } } },
      { reset: { counter: { ...place, name: 'c' } } },
    ] as const) {
      const text = formatCommand(command);
      assert.match(text, /^# not in nft syntax: /);
      assert.doesNotMatch(text, /\n/);
    }
  });
});
