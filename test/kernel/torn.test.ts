import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type Connection, connect, TornError, transaction } from '../../src/index.ts';
import { MESSAGE } from '../../src/message/index.ts';
import { find, rulesOf, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const place = { family: 'inet', table: 't' } as const;
const table = { table: { family: 'inet', name: 't' } } as const;
const INET = 1;

const addresses = (count: number) =>
  Array.from({ length: count }, (_, i) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`);

/** Commits without a pause, until it is told to stop, in another table. */
async function writing(nft: Connection, work: () => Promise<void>): Promise<number> {
  const other = transaction().add(
    { table: { family: 'ip', name: 'other' } },
    { chain: { family: 'ip', table: 'other', name: 'c' } },
  );
  let done = false;
  let commits = 0;
  const writer = (async () => {
    for (; !done; commits++) await nft.commit(other);
  })();
  try {
    await work();
  } finally {
    done = true;
    await writer;
  }
  return commits;
}

suite('reading what changes meanwhile', requires('root', 'netns'), () => {
  test('a set whose table the kernel enlarges after the commit is listed whole', () =>
    withKernel(async ({ nft }) => {
      const elem = addresses(100_000);
      const set = { set: { ...place, name: 's', type: 'ipv4_addr', elem } } as const;
      for (let round = 0; round < 4; round++) {
        await nft.commit(transaction().add(table, set));
        const listed = find(await nft.list(), 'set', 's').elem as string[];
        assert.equal(listed.length, elem.length);
        assert.deepEqual(listed, elem);
        await nft.commit(transaction().delete(table));
      }
    }));

  test('a picture is of one moment, or refused, while somebody else never pauses', () =>
    withKernel(async ({ nft, netns }) => {
      await using other = connect({ netns });
      const chain = { chain: { ...place, name: 'c' } } as const;
      const expr = [{ counter: { packets: 0, bytes: 0 } }, { accept: null }] as const;
      const rules = Array.from({ length: 1000 }, () => ({ rule: { ...place, chain: 'c', expr } }));
      await nft.commit(transaction().add(table, chain, ...(rules as never[])));
      let interrupted = 0;
      const commits = await writing(other, async () => {
        for (let round = 0; round < 50; round++) {
          if ((await nft.socket.dump({ type: MESSAGE.GETRULE, family: INET })).interrupted) interrupted++;
        }
        const listed = await nft.list({ family: 'inet' }).catch((error: unknown) => {
          assert.ok(error instanceof TornError, String(error));
          assert.match(error.message, /changed each of the 50 times/);
          return undefined;
        });
        if (listed !== undefined) assert.equal(rulesOf(listed, 'c').length, rules.length);
      });
      assert.ok(interrupted > 0, `none of 50 dumps was interrupted by ${commits} commits`);
      assert.equal(rulesOf(await nft.list(), 'c').length, rules.length);
    }));
});
