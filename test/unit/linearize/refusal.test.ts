import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Around, bytecode, refusal } from './compile.ts';

const match = (left: unknown, right: unknown, op = '==') => ({ match: { op, left, right } });
const field = (protocol: string, name: string) => ({ payload: { protocol, field: name } });
const meta = (key: string) => ({ meta: { key } });
const prefix = (addr: unknown, len: number) => ({ prefix: { addr, len } });

const addresses: Around = { sets: [{ name: 's', type: 'ipv4_addr' }] };
const ports: Around = { sets: [{ name: 'm', type: 'inet_service', map: 'verdict' }] };
const family = (name: Around['family']): Around => ({ family: name });

/** What is refused, the place, and words of the reason that say what would be valid. */
const cases: readonly (readonly [
  what: string,
  expr: unknown,
  path: string,
  reason: RegExp,
  around?: Around,
])[] = [
  ['a value too wide for its field', match(field('ip', 'ttl'), 256), 'expr[0].match.right', /0 to 255/],
  ['a value too wide for its bits', match(field('tcp', 'doff'), 16), 'expr[0].match.right', /0 to 15/],
  [
    'a value too wide in a set',
    match(field('vlan', 'id'), { set: [1, 4096] }),
    'expr[0].match.right.set[1]',
    /0 to 4095/,
  ],
  [
    'a value too wide in a range',
    match(field('ip', 'dscp'), { range: [1, 64] }),
    'expr[0].match.right.range[1]',
    /0 to 63/,
  ],
  ['an unknown symbol', match({ ct: { key: 'state' } }, 'brandnew'), 'expr[0].match.right', /established/],
  [
    'a field that the header lacks',
    match(field('tcp', 'port'), 1),
    'expr[0].match.left.payload',
    /sport, dport/,
  ],
  ['a key that meta lacks', match(meta('marker'), 1), 'expr[0].match.left.meta.key', /mark/],
  [
    'a prefix longer than the address',
    match(field('ip', 'saddr'), prefix('1.2.3.4', 33)),
    'expr[0].match.right.prefix.len',
    /0 to 32/,
  ],
  [
    'a range that runs backwards',
    match(field('tcp', 'dport'), { range: [2, 1] }),
    'expr[0].match.right.range',
    /ends before it starts/,
  ],
  [
    'a part of a byte of an option set',
    { mangle: { key: { 'tcp option': { name: 'mptcp', field: 'subtype' } }, value: 1 } },
    'expr[0].mangle.key',
    /whole bytes/,
  ],
  ['an operator that there is not', match(field('tcp', 'dport'), 1, '~'), 'expr[0].match.op', /==/],
  ['flags where there are none', match(field('tcp', 'dport'), 1, '!'), 'expr[0].match.op', /unset/],
  [
    'a set compared by size',
    match(field('tcp', 'dport'), { set: [1, 2] }, '<'),
    'expr[0].match.right',
    /== and !=/,
  ],
  ['an empty set', match(field('tcp', 'dport'), { set: [] }), 'expr[0].match.right.set', /empty/],
  ['a set that is not there', match(field('ip', 'saddr'), '@nope'), 'expr[0].match.right', /"nope"/],
  [
    'a type that does not fit the set',
    match(field('tcp', 'dport'), '@s'),
    'expr[0].match.right',
    /ipv4_addr, not inet_service/,
    addresses,
  ],
  [
    'parts where the set has one',
    match({ concat: [field('ip', 'saddr'), field('ip', 'daddr')] }, '@s'),
    'expr[0].match.right',
    /ipv4_addr/,
    addresses,
  ],
  [
    'a map that gives something else',
    { mangle: { key: meta('mark'), value: { map: { key: field('tcp', 'dport'), data: '@m' } } } },
    'expr[0].mangle.value.map.data',
    /map of values belongs here/,
    ports,
  ],
  [
    'a lone concatenation on the right',
    match({ concat: [field('ip', 'saddr'), field('tcp', 'dport')] }, { concat: ['1.1.1.1', 1] }),
    'expr[0].match.right',
    /set/,
  ],
  [
    'too few parts in an element',
    match({ concat: [field('ip', 'saddr'), field('tcp', 'dport')] }, { set: [{ concat: ['1.1.1.1'] }] }),
    'expr[0].match.right.set[0].concat',
    /1 parts where the key has 2/,
  ],
  [
    'overlapping intervals of a map',
    {
      vmap: {
        key: field('tcp', 'dport'),
        data: {
          set: [
            [{ range: [1, 5] }, { accept: null }],
            [3, { drop: null }],
          ],
        },
      },
    },
    'expr[0].vmap.data.set[1]',
    /overlaps element 0/,
  ],
  [
    'ranges in a map of single values',
    {
      mangle: {
        key: meta('mark'),
        value: { map: { key: field('tcp', 'dport'), data: { set: [[1, { range: [1, 2] }]] } } },
      },
    },
    'expr[0].mangle.value',
    /single values/,
  ],
  [
    'two protocols at once',
    [match(field('tcp', 'dport'), 1), match(field('udp', 'dport'), 1)],
    'expr[1].match.left.payload',
    /known to be tcp/,
  ],
  [
    'two network protocols',
    [match(field('ip', 'saddr'), '1.1.1.1'), match(field('ip6', 'saddr'), '::1')],
    'expr[1].match.left.payload',
    /known to be ip/,
  ],
  [
    'a header that cannot follow',
    match(field('arp', 'operation'), 'request'),
    'expr[0].match.left.payload',
    /arp cannot follow/,
  ],
  [
    'a header of another family',
    match(field('ip6', 'saddr'), '::1'),
    'expr[0].match.left.payload',
    /known to be ip/,
    family('ip'),
  ],
  [
    'a tag behind what it announces',
    [match(field('ip', 'saddr'), '1.1.1.1'), match(field('vlan', 'id'), 1)],
    'expr[1].match.left.payload',
    /before those on ip/,
    family('bridge'),
  ],
  [
    'an ICMP field that the type lacks',
    [match(field('icmp', 'type'), 'redirect'), match(field('icmp', 'id'), 1)],
    'expr[1].match.left.payload',
    /type 5/,
  ],
  [
    'nfproto where it says nothing',
    match(meta('nfproto'), 'ipv4'),
    'expr[0].match.left.meta.key',
    /inet/,
    family('ip'),
  ],
  [
    'a tunnel without its carrier',
    match({ payload: { protocol: 'ip', field: 'saddr', tunnel: 'vxlan' } }, '1.1.1.1'),
    'expr[0].match.left.payload',
    /udp/,
  ],
  [
    'a link header in a tunnel without',
    match({ payload: { protocol: 'ether', field: 'saddr', tunnel: 'gre' } }, '00:00:00:00:00:01'),
    'expr[0].match.left.payload.protocol',
    /without a link header/,
  ],
  [
    'a conntrack address of no family',
    match({ ct: { key: 'saddr', dir: 'original' } }, '1.1.1.1'),
    'expr[0].match.left.ct',
    /family ip or ip6/,
  ],
  [
    'a conntrack key without its direction',
    match({ ct: { key: 'proto-src' } }, 1),
    'expr[0].match.left.ct',
    /dir original or reply/,
  ],
  [
    'a shift that leaves nothing',
    { mangle: { key: meta('mark'), value: { '<<': [meta('mark'), 32] } } },
    'expr[0].mangle.value["<<"][1]',
    /0 to 31/,
  ],
  [
    'an operand of the packet on the right',
    { mangle: { key: meta('mark'), value: { '|': [meta('mark'), { ct: { key: 'mark' } }] } } },
    'expr[0].mangle.value["|"][1]',
    /constant/,
  ],
  [
    'a comparison that a shift makes false',
    match({ '<<': [meta('mark'), 4] }, 3),
    'expr[0].match.right',
    /always false/,
  ],
  ['what cannot be set', { mangle: { key: meta('iif'), value: 1 } }, 'expr[0].mangle.key', /cannot be set/],
  [
    'an address for a mark of text',
    { mangle: { key: meta('mark'), value: meta('iifname') } },
    'expr[0].mangle.value',
    /mark belongs here/,
  ],
  [
    'nat in a family that has none',
    { snat: { addr: '1.1.1.1', family: 'ip' } },
    'expr[0].snat',
    /ip, ip6, inet/,
    family('bridge'),
  ],
  [
    'source translation before routing',
    { masquerade: null },
    'expr[0].masquerade',
    /type nat at postrouting/,
    { base: 'type nat hook prerouting priority 0' },
  ],
  [
    'translation in a chain that filters',
    { redirect: null },
    'expr[0].redirect',
    /type nat at prerouting or output/,
    { base: 'type filter hook prerouting priority 0' },
  ],
  [
    'nat of another family',
    { dnat: { addr: '::1', family: 'ip6' } },
    'expr[0].dnat.family',
    /ip/,
    family('ip'),
  ],
  ['nat of no family', { dnat: { addr: '1.1.1.1' } }, 'expr[0].dnat', /family ip or ip6/],
  ['ports without a transport protocol', { redirect: { port: 80 } }, 'expr[0].redirect.port', /meta l4proto/],
  ['tproxy without a transport protocol', { tproxy: { port: 80 } }, 'expr[0].tproxy', /meta l4proto/],
  ['fwd outside of netdev', { fwd: { dev: 'lo' } }, 'expr[0].fwd', /netdev/],
  ['dup in inet', { dup: { addr: '1.1.1.1' } }, 'expr[0].dup', /ip, ip6, netdev/],
  [
    'a rejection that the packet cannot get',
    [match(field('ip', 'saddr'), '1.1.1.1'), { reject: { type: 'icmpv6' } }],
    'expr[1].reject',
    /known to be ip/,
  ],
  [
    'a reset for udp',
    [match(field('udp', 'dport'), 1), { reject: { type: 'tcp reset' } }],
    'expr[1].reject',
    /udp/,
  ],
  ['icmpx in ip', { reject: { type: 'icmpx' } }, 'expr[0].reject.type', /use icmp/, family('ip')],
  ['level and group of a log', { log: { group: 1, level: 'info' } }, 'expr[0].log', /do not go with group/],
  ['a prefix too long for a log', { log: { prefix: 'x'.repeat(128) } }, 'expr[0].log.prefix', /127 bytes/],
  ['a rate of nothing', { limit: { rate: 0, per: 'second' } }, 'expr[0].limit.rate', /greater than 0/],
  ['a unit that there is not', { limit: { rate: 1, per: 'year' } }, 'expr[0].limit.per', /second, minute/],
  ['a key that a statement lacks', { log: { prefx: 'x' } }, 'expr[0].log.prefx', /prefix, group/],
  ['a key that is missing', { jhash: 1 }, 'expr[0]', /match, vmap/],
  ['a statement of two', { accept: null, drop: null }, 'expr[0]', /one of the keys/],
  ['a number where a word belongs', match({ meta: { key: 7 } }, 1), 'expr[0].match.left.meta.key', /text/],
  [
    'more than the registers hold',
    match(
      { concat: Array.from({ length: 5 }, () => meta('iifname')) },
      { set: [{ concat: ['a', 'b', 'c', 'd', 'e'] }] },
    ),
    'expr',
    /64 bytes/,
  ],
];

for (const [what, expr, path, reason, around] of cases) {
  test(`refuses ${what}`, () => {
    const refused = refusal(Array.isArray(expr) ? expr : [expr], around);
    assert.ok(refused, 'it compiles');
    assert.equal(refused.path, path, refused.reason);
    assert.match(refused.reason, reason);
  });
}

test('a prefix needs a set of intervals', () => {
  const element = match(field('ip', 'saddr'), { set: [prefix('10.0.0.0', 8), '1.1.1.1'] });
  assert.equal(bytecode([element]).at(-1), '[ lookup reg 1 set __set%d ]');
});
