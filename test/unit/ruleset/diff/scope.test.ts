import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CompileError, diff, type Ruleset, type RulesetElement } from '../../../../src/index.ts';
import { accept, chain, commandsOf, dport, jump, map, nothing, rule, set, table, thing } from '../pairs.ts';

suite('tables of others', () => {
  const other: RulesetElement[] = [
    { table: { family: 'ip', name: 'x' } },
    { chain: { family: 'ip', table: 'x', name: 'c' } },
  ];
  const current: Ruleset = { nftables: [...other, ...table(chain('c')).nftables] };

  test('stay, whatever is desired', () => assert.deepEqual(commandsOf(current, table(chain('c'))), []));
  test("go where they are said to be the caller's", () =>
    assert.deepEqual(commandsOf(current, table(chain('c')), { tables: [{ family: 'ip', name: 'x' }] }), [
      'delete table x',
    ]));
  test('are not even compiled', () => {
    const broken = {
      nftables: [...other, { rule: { family: 'ip', table: 'x', chain: 'nowhere', handle: 1 } }],
    } as Ruleset;
    assert.deepEqual(commandsOf(broken, table()), ['add table t']);
  });
});

suite('what cannot be desired', () => {
  const refused = (desired: Ruleset, path: string, reason: RegExp) =>
    assert.throws(
      () => diff(nothing, desired),
      (error) => {
        assert.ok(error instanceof CompileError);
        assert.equal(error.path, path);
        assert.match(error.reason, reason);
        return true;
      },
    );

  test('commands that say what to do', () =>
    refused({ nftables: [{ flush: { ruleset: null } }] }, 'nftables[0].flush.ruleset', /what to do/));
  test('a thing without its table', () =>
    refused({ nftables: [chain('c')] }, 'nftables[0].chain.table', /add it too/));
  test('a rule without its chain', () =>
    refused(table(rule('c', 1, accept)), 'nftables[1].rule.chain', /add it too/));
  test('elements without their set', () =>
    refused(table(thing('element', { name: 's', elem: [1] })), 'nftables[1].element.name', /add it too/));
  test('a jump to nowhere', () =>
    refused(table(chain('c'), rule('c', 1, jump('x'))), 'nftables[2].rule', /chain x/));
  test('an object that is not there', () =>
    refused(table(chain('c'), rule('c', 1, { counter: 'x' })), 'nftables[2].rule', /counter x/));
  test('an element that jumps to nowhere', () =>
    refused(table(map('m', { elem: [[1, jump('x')]] })), 'nftables[1].map.elem[0]', /chain x/));
  test('a rule that cannot be compiled', () =>
    refused(table(chain('c'), rule('c', 1, dport('nonsense'))), 'nftables[2].rule.expr[0].match.right', /./));
  test('an element that is none', () =>
    refused(table(set('s', { elem: ['nonsense'] })), 'nftables[1].set.elem[0]', /./));
  test('the same name twice', () => refused(table(chain('c'), chain('c')), 'nftables[2].chain', /twice/));
  test('a rule by index', () =>
    refused(
      table(chain('c'), thing('rule', { chain: 'c', index: 0, expr: [accept] })),
      'nftables[2].rule.index',
      /order/,
    ));
});

test('a listing without handles cannot be changed', () =>
  assert.throws(
    () => diff(table(chain('c'), thing('rule', { chain: 'c', expr: [accept] })), table(chain('c'))),
    /has a handle/,
  ));
