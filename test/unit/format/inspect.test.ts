import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { inspect, isDeepStrictEqual } from 'node:util';
import {
  accept,
  cidr,
  comment,
  concat,
  counter,
  dnat,
  ether,
  formatRuleset,
  ip,
  jump,
  limit,
  meta,
  range,
  set,
  stringify,
  table,
  tcp,
  transaction,
} from '../../../src/index.ts';
import { fakeConnection } from '../../../src/testing/index.ts';

const filter = table('inet', 'filter')
  .set('blocked', { type: 'ipv4_addr', flags: ['interval'], elements: ['192.0.2.1', cidr('10.0.0.0/8')] })
  .chain('input', { type: 'filter', hook: 'input', priority: 'filter', policy: 'drop' })
  .rule('input', ip.saddr.in('@blocked'), counter(), accept(), comment('why'));

suite('util.inspect', () => {
  for (const [thing, text] of [
    [tcp.dport, 'tcp dport'],
    [concat(meta.iifname, ether.saddr), 'iifname . ether saddr'],
    [set(22, range(80, 90)), '{ 22, 80-90 }'],
    [tcp.dport.eq(22), 'tcp dport 22'],
    [ip.saddr.in(set('192.0.2.1', cidr('10.0.0.0/8'))), 'ip saddr { 192.0.2.1, 10.0.0.0/8 }'],
    [meta.mark.set(7), 'meta mark set 0x00000007'],
    [tcp.dport.vmap([[22, jump('ssh')]]), 'tcp dport vmap { 22 : jump ssh }'],
    [tcp.dport.map([[22, '192.0.2.1']]), 'tcp dport map { 22 : 192.0.2.1 }'],
    [accept(), 'accept'],
    [counter(), 'counter'],
    [counter('web'), 'counter name "web"'],
    [limit({ rate: 5, per: 'second' }), 'limit rate 5/second'],
    [dnat({ addr: '192.0.2.1', port: 80 }), 'dnat to 192.0.2.1:80'],
    [comment('x'), 'comment "x"'],
    [
      transaction()
        .add({ table: { family: 'ip', name: 't' } })
        .delete({ chain: { family: 'ip', table: 't', name: 'c' } })
        .flush({ ruleset: null }),
      'add table ip t\ndelete chain ip t c\nflush ruleset',
    ],
  ] as const) {
    test(`prints ${text.split('\n')[0]}`, () => {
      assert.equal(inspect(thing).replace(/ \{\n?\}$/, ''), text);
      assert.equal(inspect([thing, 1], { breakLength: 200 }).includes(text.split('\n')[0] as string), true);
    });
  }

  test('prints a table, and each of its commands', () => {
    const text = formatRuleset(filter.toJSON()).trimEnd();
    assert.match(text, /policy drop;/);
    assert.equal(inspect(filter), text);
    assert.equal(inspect(filter.toJSON()), text);
    assert.match(inspect(filter.commands.at(-1)), /^add rule inet filter input ip saddr @blocked counter/);
  });

  test('prints what is listed, whole and one by one', async () => {
    using nft = fakeConnection();
    await nft.commit(filter.commands);
    const ruleset = await nft.list();
    assert.equal(`${inspect(ruleset)}\n`, formatRuleset(ruleset));
    const rule = ruleset.nftables.find((item) => 'rule' in item);
    assert.equal(
      inspect(rule),
      'rule inet filter input ip saddr @blocked counter packets 0 bytes 0 accept comment "why"',
    );
    assert.equal(`${inspect((await nft.snapshot()).ruleset)}\n`, formatRuleset(ruleset));
  });

  test('prints no more elements than of any list', async () => {
    using nft = fakeConnection();
    const ports = table('ip', 't').set('s', {
      type: 'inet_service',
      elements: Array.from({ length: 250 }, (_, i) => i + 1),
    });
    await nft.commit(ports.commands);
    const text = inspect(await nft.list());
    assert.match(text, /\n# 150 more elements of s$/);
    assert.equal(text.match(/\d+,/g)?.length, 99);
    assert.doesNotMatch(inspect(await nft.list(), { maxArrayLength: null }), /more/);
  });

  test('leaves data what it is', async () => {
    const statement = tcp.dport.eq(22);
    const plain = {
      match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 22 },
    } as const;
    assert.deepEqual(statement, plain);
    assert.deepEqual(plain, statement);
    assert.ok(isDeepStrictEqual(statement, plain));
    assert.deepEqual(structuredClone(statement), plain);
    assert.equal(JSON.stringify(statement), JSON.stringify(plain));
    assert.deepEqual(Object.keys(statement), ['match']);
    assert.deepEqual(Reflect.ownKeys({ ...statement }), ['match']);
    using nft = fakeConnection();
    await nft.commit(filter.commands);
    const ruleset = await nft.list();
    assert.deepEqual(ruleset, structuredClone(ruleset));
    assert.deepEqual(JSON.parse(stringify(ruleset)), JSON.parse(stringify(structuredClone(ruleset))));
  });

  test('has words of its own for what nft has none', () => {
    const opaque = { add: { rule: { family: 'ip', table: 't', chain: 'c', expr: [{ opaque: {} }] } } };
    assert.match(inspect(transaction([opaque as never])), /\n\t\t# not in nft syntax: .*"opaque"/);
    assert.match(inspect(transaction([{ nonsense: 1, more: 2 } as never])), /nonsense: 1/);
  });
});
