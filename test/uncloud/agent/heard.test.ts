import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Heard } from '../../../src/uncloud/agent/heard.ts';
import { MemoryStore } from '../../../src/uncloud/index.ts';

suite('what is heard of a store', () => {
  test('is read anew whenever that is asked for, each kind of records', async () => {
    await using store = new MemoryStore();
    const listed: string[] = [];
    const list = store.list.bind(store);
    store.list = (prefix, options) => {
      listed.push(prefix);
      return list(prefix, options);
    };
    const heard = new Heard('p/', { store });
    const controller = new AbortController();
    const end = heard.follow(() => {}, controller.signal).catch(() => {});
    const settled = async (count: number) => {
      for (let left = 200; listed.length < count && left > 0; left--) await pause(5);
      return listed.splice(0).sort();
    };
    const first = await settled(4);
    assert.ok(first.includes('p/vm/') && first.includes('p/group/'));
    for (let time = 0; time < 3; time++) {
      heard.resync();
      assert.deepEqual(await settled(4), first, `time ${time}`);
    }
    controller.abort();
    await end;
  });
});
