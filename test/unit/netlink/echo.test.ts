import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from '../../../src/index.ts';
import { MESSAGE, NLM, rule as schema } from '../../../src/message/index.ts';
import { echoedHandles } from '../../../src/netlink/echo.ts';
import { MessageWriter } from '../../../src/testing/netlink-message.ts';
import { withEchoes } from '../../../src/transaction/echo.ts';
import { compileTransaction, emptyView, parseCommands } from '../../../src/transaction/index.ts';

const rule = (table: string): Command => ({
  add: { rule: { family: 'inet', table, chain: 'c', expr: [{ accept: null }] } },
});

const inSet: Command = {
  add: {
    rule: {
      family: 'inet',
      table: 't',
      chain: 'c',
      expr: [{ match: { op: '==', left: { meta: { key: 'mark' } }, right: { set: [1, 2] } } }],
    },
  },
};

/** Which operations the kernel is asked to echo. */
function asked(commands: readonly Command[]): number[] {
  const messages = [...withEchoes(compileTransaction([...commands], emptyView))];
  return messages.flatMap(({ flags, operation }) => (flags & NLM.ECHO ? [operation] : []));
}

/** What is made of the handles that the kernel told of some rules. */
function counted(commands: readonly Command[], told: Readonly<Record<number, bigint>>): Map<number, bigint> {
  const echoes = Object.entries(told).map(([operation, handle]) => {
    const out = new MessageWriter(1);
    out.nftables(MESSAGE.NEWRULE, 1, schema, { table: 't', chain: 'c', handle } as never);
    return { operation: Number(operation), message: out.bytes().slice() };
  });
  return echoedHandles(echoes, parseCommands([...commands]));
}

test('of rules in a row the first and the last are echoed', () => {
  assert.deepEqual(asked([rule('t'), rule('t'), rule('t'), rule('t')]), [0, 3]);
  assert.deepEqual(asked([rule('t')]), [0]);
});

test('a row ends with its table, and where a rule brings a set', () => {
  assert.deepEqual(asked([rule('t'), rule('t'), rule('t'), rule('u'), rule('u')]), [0, 2, 3, 4]);
  assert.deepEqual(asked([rule('t'), rule('t'), rule('t'), inSet, rule('t'), rule('t')]), [0, 2, 3, 5]);
});

test('what makes nothing is not echoed', () => {
  assert.deepEqual(asked([{ delete: { table: { family: 'inet', name: 't' } } }]), []);
});

test('handles between two ends are counted', () => {
  const found = counted([rule('t'), rule('t'), rule('t'), rule('t')], { 0: 7n, 3: 10n });
  assert.deepEqual([...found].sort(), [
    [0, 7n],
    [1, 8n],
    [2, 9n],
    [3, 10n],
  ]);
});

test('where something else was made between, or an end is missing, they stay unknown', () => {
  const rules = [rule('t'), rule('t'), rule('t')];
  assert.deepEqual([...counted(rules, { 0: 7n, 2: 10n }).keys()], [0, 2]);
  assert.deepEqual([...counted(rules, { 0: 7n }).keys()], [0]);
  assert.deepEqual([...counted([rule('t'), rule('t'), rule('u')], { 0: 7n, 2: 9n }).keys()], [0, 2]);
});
