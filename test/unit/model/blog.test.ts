import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  accept,
  cidr,
  drop,
  ether,
  icmpv6,
  ip,
  ip6,
  jump,
  meta,
  type Operand,
  set,
  table,
  udp,
} from '../../../src/model/index.ts';
import { requires } from '../../support/requirements.ts';
import { checkWithNft } from './nft-check.ts';

const vms = [
  {
    ifname: 'v343a-0',
    mac: '02:00:f0:a9:c4:4f',
    ipv4: '10.0.0.1',
    ipv6: '2a0a:e5c1:111:888:0:f0ff:fea9:c44f',
    delegated: '2a0a:e5c1:111:1234::/64',
  },
  {
    ifname: 'v343b-0',
    mac: '02:00:f0:a9:c4:50',
    ipv4: '10.0.0.2',
    ipv6: '2a0a:e5c1:111:888:0:f0ff:fea9:c450',
    delegated: '2a0a:e5c1:111:1235::/64',
  },
];

/** The blog's ruleset: one chain a bridge, reached by the bridge's name or through its ports. */
function blog(dispatch: readonly [what: Operand, names: readonly string[]]) {
  const [what, names] = dispatch;
  const filter = table('bridge', 'filter')
    .chain('prerouting', { type: 'filter', hook: 'prerouting', priority: 0, policy: 'accept' })
    .chain('br100')
    .rule('prerouting', names.length === 1 ? what.eq(names[0] ?? '') : what.in(set(...names)), jump('br100'))
    .rule('br100', meta.iifname.eq('vxlan100'), accept())
    .rule('br100', icmpv6.type.eq('nd-router-advert'), drop())
    .rule('br100', ip6.version.eq(6), udp.sport.eq(547), drop())
    .rule('br100', ip.version.eq(4), udp.sport.eq(67), drop());
  for (const { ifname, mac, ipv4, ipv6, delegated } of vms) {
    const port = [meta.iifname.eq(ifname), ether.saddr.eq(mac)];
    filter
      .rule('br100', ...port, ip.saddr.eq(ipv4), accept())
      .rule('br100', ...port, ip6.saddr.eq(ipv6), accept())
      .rule('br100', ...port, ip6.saddr.eq(cidr(delegated)), accept());
  }
  return filter.rule('br100', drop());
}

const byBridge = blog([meta.ibrname, ['br100']]);
const byPort = blog([meta.iifname, ['vxlan100', ...vms.map(({ ifname }) => ifname)]]);

test('the blog\u2019s ruleset is the JSON that nft prints for it', () => {
  const { commands } = byBridge;
  const rule = (...expr: unknown[]) => ({
    add: { rule: { family: 'bridge', table: 'filter', chain: 'br100', expr } },
  });
  const is = (left: unknown, right: unknown) => ({ match: { op: '==', left, right } });
  const field = (protocol: string, name: string) => ({ payload: { protocol, field: name } });

  assert.deepEqual(commands.slice(0, 4), [
    { add: { table: { family: 'bridge', name: 'filter' } } },
    {
      add: {
        chain: {
          family: 'bridge',
          table: 'filter',
          name: 'prerouting',
          type: 'filter',
          hook: 'prerouting',
          prio: 0,
          policy: 'accept',
        },
      },
    },
    { add: { chain: { family: 'bridge', table: 'filter', name: 'br100' } } },
    {
      add: {
        rule: {
          family: 'bridge',
          table: 'filter',
          chain: 'prerouting',
          expr: [is({ meta: { key: 'ibrname' } }, 'br100'), { jump: { target: 'br100' } }],
        },
      },
    },
  ]);
  assert.deepEqual(commands.slice(4, 11), [
    rule(is({ meta: { key: 'iifname' } }, 'vxlan100'), { accept: null }),
    rule(is(field('icmpv6', 'type'), 'nd-router-advert'), { drop: null }),
    rule(is(field('ip6', 'version'), 6), is(field('udp', 'sport'), 547), { drop: null }),
    rule(is(field('ip', 'version'), 4), is(field('udp', 'sport'), 67), { drop: null }),
    rule(
      is({ meta: { key: 'iifname' } }, 'v343a-0'),
      is(field('ether', 'saddr'), '02:00:f0:a9:c4:4f'),
      is(field('ip', 'saddr'), '10.0.0.1'),
      { accept: null },
    ),
    rule(
      is({ meta: { key: 'iifname' } }, 'v343a-0'),
      is(field('ether', 'saddr'), '02:00:f0:a9:c4:4f'),
      is(field('ip6', 'saddr'), '2a0a:e5c1:111:888:0:f0ff:fea9:c44f'),
      { accept: null },
    ),
    rule(
      is({ meta: { key: 'iifname' } }, 'v343a-0'),
      is(field('ether', 'saddr'), '02:00:f0:a9:c4:4f'),
      is(field('ip6', 'saddr'), { prefix: { addr: '2a0a:e5c1:111:1234::', len: 64 } }),
      { accept: null },
    ),
  ]);
  assert.equal(commands.length, 4 + 4 + 3 * vms.length + 1);
  assert.deepEqual(commands.at(-1), rule({ drop: null }));
});

test(
  'nft takes the blog\u2019s ruleset, dispatched by bridge',
  requires('root', 'netns', 'nft', 'ibrname'),
  () => {
    checkWithNft(byBridge);
  },
);

test('nft takes the blog\u2019s ruleset, dispatched by port', requires('root', 'netns', 'nft'), () => {
  checkWithNft(byPort);
});
