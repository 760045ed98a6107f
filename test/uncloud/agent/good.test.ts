import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GoodRecords } from '../../../src/uncloud/agent/good.ts';

const PREFIX = 'fw/';
const entry = (key: string, value: string) => ({ key, value, revision: 1, created: 1 });
const refused = (key: string) => ({ key: `distributed-firewall/${key}`, path: '', why: 'wrong' });

test('a record that is refused stays as it last was good, until it is good again or gone', () => {
  const good = new GoodRecords();
  const entries = new Map<string, ReturnType<typeof entry>>();
  const put = (key: string, value: string) => entries.set(key, entry(key, value));
  const values = () => Object.fromEntries(good.entries.map(({ key, value }) => [key, value]));

  put('fw/vm/a', 'a1');
  put('fw/vm/b', 'b1');
  good.take(new Set(entries.keys()), entries, [], PREFIX);
  put('fw/vm/a', 'a2');
  good.take(new Set(['fw/vm/a']), entries, [refused('vm/a')], PREFIX);
  assert.deepEqual(values(), { 'fw/vm/a': 'a1', 'fw/vm/b': 'b1' });

  // What it claimed is free now, though nobody touched its own key.
  entries.delete('fw/vm/b');
  good.take(new Set(['fw/vm/b']), entries, [], PREFIX);
  assert.deepEqual(values(), { 'fw/vm/a': 'a2' });
});
