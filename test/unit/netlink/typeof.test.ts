import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NamedSet, Ruleset } from '../../../src/index.ts';
import { fakeConnection } from '../../../src/testing/index.ts';

const field = (protocol: string, name: string) => ({ payload: { protocol, field: name } });
const parts = [
  field('ip', 'saddr'),
  field('ip', 'daddr'),
  field('tcp', 'dport'),
  field('tcp', 'sport'),
  field('ip', 'ttl'),
  field('ip', 'id'),
  field('ip', 'length'),
  { meta: { key: 'mark' } },
];

/** A set as it is listed. */
async function listed(more: object): Promise<NamedSet> {
  using nft = fakeConnection();
  const set = { family: 'inet', table: 't', name: 's', ...more };
  await nft.commit([{ table: { family: 'inet', name: 't' } }, { set }] as unknown as Ruleset['nftables']);
  const { nftables } = await nft.list();
  return (nftables.at(-1) as { set: NamedSet }).set;
}

for (let count = 2; count <= parts.length; count++) {
  test(`a key of ${count} parts is listed as it was declared`, async () => {
    const type = { typeof: { concat: parts.slice(0, count) } };
    assert.deepEqual((await listed({ type })).type, type);
  });
}

test('the comment comes before what the key was declared with, where both find no room', async () => {
  const comment = 'x'.repeat(120);
  const set = await listed({
    type: { typeof: { concat: parts.slice(0, 4).concat(parts.slice(0, 4)) } },
    comment,
  });
  assert.equal(set.comment, comment);
  assert.notDeepEqual(Object.keys(set.type ?? {}), ['typeof']);
});
