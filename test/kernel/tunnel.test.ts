import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import {
  CompileError,
  type Connection,
  diff,
  type Ruleset,
  TransactionError,
  type Tunnel,
  transaction,
} from '../../src/index.ts';
import { MESSAGE } from '../../src/message/index.ts';
import { compileTransaction, emptyView } from '../../src/transaction/index.ts';
import { AttributeWriter } from '../../src/wire/attribute-writer.ts';
import { encode } from '../../src/wire/schema.ts';
import { printAttributes } from '../native/printer.ts';
import { elementsOf, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';

const place = { family: 'netdev', table: 't' } as const;
const table = { table: { family: 'netdev', name: 't' } } as const;
const NFPROTO_NETDEV = 5;

const vxlan: Tunnel = {
  ...place,
  name: 'v',
  id: 10,
  'src-ipv4': '192.0.2.1',
  'dst-ipv4': '192.0.2.2',
  sport: 10,
  dport: 20,
  tos: 4,
  ttl: 64,
  type: 'vxlan',
  tunnel: { gbp: 200 },
};
const tunnels: readonly Tunnel[] = [
  vxlan,
  {
    ...place,
    name: 'e',
    id: 11,
    'src-ipv6': '2001:db8::1',
    'dst-ipv6': '2001:db8::2',
    ttl: 1,
    type: 'erspan',
    tunnel: { version: 2, direction: 'egress', hwid: 7 },
  },
  {
    ...place,
    name: 'f',
    id: 0,
    'dst-ipv4': '192.0.2.3',
    ttl: 2,
    type: 'erspan',
    tunnel: { version: 1, index: 9 },
  },
  { ...place, name: 'g', id: 0xffffff, 'dst-ipv4': '192.0.2.4', ttl: 3 },
];

function attributesOf(tunnel: Tunnel): Uint8Array {
  const [message] = [...compileTransaction([{ add: { tunnel } }], emptyView)];
  assert.ok(message?.kind === 'message');
  const writer = new AttributeWriter(256);
  encode(message.schema, message.value, writer);
  return writer.bytes();
}

test('libnftnl reads tunnels, and tells as much of them as it prints', () => {
  for (const tunnel of tunnels) {
    const text = printAttributes(MESSAGE.NEWOBJ, NFPROTO_NETDEV, attributesOf(tunnel));
    assert.equal(text, `table t name ${tunnel.name} use 0 [ tunnel id ${tunnel.id} ]`);
  }
});

test('tunnels that lead nowhere are refused, with the place', () => {
  const { type: _, tunnel: __, ...bare } = vxlan;
  const cases: readonly [Partial<Record<keyof Tunnel, unknown>>, path: string][] = [
    [{ ...bare, 'dst-ipv4': undefined }, ''],
    [{ ...bare, id: undefined }, '.id'],
    [{ ...bare, id: 2 ** 32 }, '.id'],
    [{ ...bare, 'dst-ipv6': '2001:db8::1' }, ''],
    [{ ...bare, 'src-ipv4': '2001:db8::1' }, '.src-ipv4'],
    [{ ...bare, ttl: 256 }, '.ttl'],
    [{ ...bare, dport: 65_536 }, '.dport'],
    [{ ...vxlan, tunnel: undefined }, '.tunnel'],
    [{ ...vxlan, tunnel: { gbp: -1 } }, '.tunnel.gbp'],
    [{ ...vxlan, type: 'geneve' }, '.type'],
    [{ ...vxlan, type: 'erspan', tunnel: { version: 3 } }, '.tunnel.version'],
    [{ ...vxlan, type: 'erspan', tunnel: { version: 2, direction: 'up', hwid: 1 } }, '.tunnel.direction'],
  ];
  for (const [tunnel, path] of cases) {
    assert.throws(
      () => compileTransaction([{ add: { tunnel } } as never], emptyView),
      (error) => {
        assert.ok(error instanceof CompileError, String(error));
        assert.equal(error.path, `[0].add.tunnel${path}`, JSON.stringify(tunnel));
        return true;
      },
    );
  }
});

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
