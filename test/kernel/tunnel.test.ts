import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import { type Connection, diff, type Ruleset, TransactionError, transaction } from '../../src/index.ts';
import { elementsOf, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { place, tunnels, vxlan } from '../support/tunnels.ts';

const table = { table: { family: 'netdev', name: 't' } } as const;

/** Whether the kernel has tunnels (CONFIG_NFT_TUNNEL); where not, the test is skipped. */
async function hasTunnels(nft: Connection, context: TestContext): Promise<boolean> {
  try {
    await nft.check([{ add: table }, { add: { tunnel: vxlan } }]);
    return true;
  } catch (error) {
    if (!(error instanceof TransactionError && ['ENOENT', 'EOPNOTSUPP'].includes(error.code))) throw error;
    context.skip('this kernel has no tunnels');
    return false;
  }
}

suite('tunnels', requires('root', 'netns'), () => {
  test('come back as they went in, are used by rules, and go', (context) =>
    withKernel(async ({ nft }) => {
      if (!(await hasTunnels(nft, context))) return;
      const ruleset: Ruleset = {
        nftables: [
          table,
          ...tunnels.map((tunnel) => ({ tunnel })),
          { chain: { ...place, name: 'c' } },
          { rule: { ...place, chain: 'c', expr: [{ tunnel: 'v' }] } },
        ],
      };
      await nft.commit(ruleset);
      const listed = await nft.list();
      const seen = elementsOf(listed).flatMap((one) => ('tunnel' in one ? [one.tunnel] : []));
      assert.deepEqual(
        seen.map(({ handle: _, ...tunnel }) => ({ ...tunnel })),
        tunnels,
      );
      assert.deepEqual(diff(listed, ruleset).nftables, []);
      const gone = transaction()
        .flush({ table: table.table })
        .delete({ tunnel: { ...place, name: 'v' } });
      await nft.commit(gone);
      assert.equal(elementsOf(await nft.list()).filter((one) => 'tunnel' in one).length, tunnels.length - 1);
    }));
});
