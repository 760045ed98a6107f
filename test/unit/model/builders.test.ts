import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as nft from '../../../src/model/index.ts';

const { ip, ip6, tcp, ether, meta, ct } = nft;

const dport = { payload: { protocol: 'tcp', field: 'dport' } };
const saddr = { payload: { protocol: 'ip', field: 'saddr' } };
const match = (op: string, left: unknown, right: unknown) => ({ match: { op, left, right } });

/** Statement as built, and as libnftables JSON has it. */
const statements: Record<string, [built: nft.Statement, json: unknown]> = {
  'tcp dport 22': [tcp.dport.eq(22), match('==', dport, 22)],
  'tcp dport != 22': [tcp.dport.ne(22), match('!=', dport, 22)],
  'tcp dport < 1024': [tcp.dport.lt(1024), match('<', dport, 1024)],
  'tcp dport <= 1023': [tcp.dport.le(1023), match('<=', dport, 1023)],
  'tcp dport > 1023': [tcp.dport.gt(1023), match('>', dport, 1023)],
  'tcp dport >= 1024': [tcp.dport.ge(1024), match('>=', dport, 1024)],
  'ip saddr 10.0.0.0/8': [
    ip.saddr.eq(nft.cidr('10.0.0.0/8')),
    match('==', saddr, { prefix: { addr: '10.0.0.0', len: 8 } }),
  ],
  'tcp dport 1-1023': [tcp.dport.eq(nft.range(1, 1023)), match('==', dport, { range: [1, 1023] })],
  'tcp dport { 22, 80-90 }': [
    tcp.dport.in(nft.set(22, nft.range(80, 90))),
    match('==', dport, { set: [22, { range: [80, 90] }] }),
  ],
  'tcp dport != @ports': [tcp.dport.notIn('@ports'), match('!=', dport, '@ports')],
  'ct state established,related': [
    ct.state.in('established', 'related'),
    match('in', { ct: { key: 'state' } }, ['established', 'related']),
  ],
  'ct state new': [ct.state.in('new'), match('in', { ct: { key: 'state' } }, 'new')],
  'tcp flags ! syn': [
    tcp.flags.notIn('syn'),
    match('!', { payload: { protocol: 'tcp', field: 'flags' } }, 'syn'),
  ],
  'tcp flags & (syn | ack) == syn': [
    nft.and(tcp.flags, nft.or('syn', 'ack')).eq('syn'),
    match('==', { '&': [{ payload: { protocol: 'tcp', field: 'flags' } }, { '|': ['syn', 'ack'] }] }, 'syn'),
  ],
  'iifname . ether saddr . ip6 saddr & ffff:: @vms': [
    nft.concat(meta.iifname, ether.saddr, nft.and(ip6.saddr, 'ffff::')).in('@vms'),
    match(
      '==',
      {
        concat: [
          { meta: { key: 'iifname' } },
          { payload: { protocol: 'ether', field: 'saddr' } },
          { '&': [{ payload: { protocol: 'ip6', field: 'saddr' } }, 'ffff::'] },
        ],
      },
      '@vms',
    ),
  ],
  'iifname . tcp dport { "v0" . 22 }': [
    nft.concat(meta.iifname, tcp.dport).in(nft.set(['v0', 22])),
    match('==', { concat: [{ meta: { key: 'iifname' } }, dport] }, { set: [{ concat: ['v0', 22] }] }),
  ],
  'ct original ip saddr 10.0.0.1': [
    ct.original['ip saddr'].eq('10.0.0.1'),
    match('==', { ct: { key: 'ip saddr', dir: 'original' } }, '10.0.0.1'),
  ],
  'exthdr frag exists': [nft.exthdr('frag').exists(), match('==', { exthdr: { name: 'frag' } }, true)],
  'tcp option maxseg size set 1360': [
    nft.tcpOption('maxseg', 'size').set(1360),
    { mangle: { key: { 'tcp option': { name: 'maxseg', field: 'size' } }, value: 1360 } },
  ],
  '@nh,96,32 0': [
    nft.payload.raw('nh', 96, 32).eq(0),
    match('==', { payload: { base: 'nh', offset: 96, len: 32 } }, 0),
  ],
  'vxlan vni 7': [
    nft.vxlan.vni.eq(7),
    match('==', { payload: { protocol: 'vxlan', field: 'vni', tunnel: 'vxlan' } }, 7),
  ],
  'vxlan ip saddr 10.0.0.1': [
    nft.inner('vxlan').ip.saddr.eq('10.0.0.1'),
    match('==', { payload: { protocol: 'ip', field: 'saddr', tunnel: 'vxlan' } }, '10.0.0.1'),
  ],
  'tcp dport vmap { 22: accept, * : jump other }': [
    tcp.dport.vmap([
      [22, nft.accept()],
      ['*', nft.jump('other')],
    ]),
    {
      vmap: {
        key: dport,
        data: {
          set: [
            [22, { accept: null }],
            ['*', { jump: { target: 'other' } }],
          ],
        },
      },
    },
  ],
  'iifname vmap @ports': [
    meta.iifname.vmap('@ports'),
    { vmap: { key: { meta: { key: 'iifname' } }, data: '@ports' } },
  ],
  'meta mark set tcp dport map { 22 : 1 }': [
    meta.mark.set(tcp.dport.map({ 22: 1 })),
    {
      mangle: { key: { meta: { key: 'mark' } }, value: { map: { key: dport, data: { set: [['22', 1]] } } } },
    },
  ],
  'ct mark set ct mark | 1': [
    ct.mark.set(nft.or(ct.mark, 1)),
    { mangle: { key: { ct: { key: 'mark' } }, value: { '|': [{ ct: { key: 'mark' } }, 1] } } },
  ],
  counter: [nft.counter(), { counter: null }],
  'counter packets 1 bytes 2': [
    nft.counter({ packets: 1n, bytes: 2 }),
    { counter: { packets: 1n, bytes: 2 } },
  ],
  'counter name "web"': [nft.counter('web'), { counter: 'web' }],
  'limit name tcp dport map { 22 : "ssh" }': [
    nft.limit(tcp.dport.map([[22, 'ssh']])),
    { limit: { map: { key: dport, data: { set: [[22, 'ssh']] } } } },
  ],
  'limit rate over 10/second': [
    nft.limit({ rate: 10, per: 'second', inv: true }),
    { limit: { rate: 10, per: 'second', inv: true } },
  ],
  'log prefix "x"': [nft.log({ prefix: 'x' }), { log: { prefix: 'x' } }],
  log: [nft.log(), { log: null }],
  'reject with tcp reset': [nft.reject({ type: 'tcp reset' }), { reject: { type: 'tcp reset' } }],
  'queue num 0-3 fanout': [
    nft.queue({ num: nft.range(0, 3), flags: 'fanout' }),
    { queue: { num: { range: [0, 3] }, flags: 'fanout' } },
  ],
  'dnat ip to ip saddr map @m': [
    nft.dnat({ family: 'ip', addr: ip.saddr.map('@m') }),
    { dnat: { family: 'ip', addr: { map: { key: saddr, data: '@m' } } } },
  ],
  masquerade: [nft.masquerade(), { masquerade: null }],
  'add @seen { ip saddr timeout 1m counter }': [
    nft.dynset.add('@seen', ip.saddr, { timeout: 60, statements: [nft.counter()] }),
    {
      set: {
        op: 'add',
        elem: { elem: { val: saddr, timeout: 60 } },
        set: '@seen',
        stmt: [{ counter: null }],
      },
    },
  ],
  'update @m { ip saddr . tcp dport : meta mark }': [
    nft.dynset.update('@m', [ip.saddr, tcp.dport], { data: meta.mark }),
    {
      map: { op: 'update', elem: { concat: [saddr, dport] }, data: { meta: { key: 'mark' } }, map: '@m' },
    },
  ],
  'fib saddr . iif oif missing': [
    nft.fib(['saddr', 'iif'], 'oif').missing(),
    match('==', { fib: { result: 'oif', flags: ['saddr', 'iif'] } }, false),
  ],
  'jhash ip saddr mod 2': [
    meta.mark.set(nft.jhash(ip.saddr, 2)),
    { mangle: { key: { meta: { key: 'mark' } }, value: { jhash: { mod: 2, expr: saddr } } } },
  ],
  'flow add @f': [nft.flow('f'), { flow: { op: 'add', flowtable: '@f' } }],
};

for (const [text, [built, json]] of Object.entries(statements)) {
  test(`${text}: plain JSON`, () => {
    assert.deepEqual(built, json);
    assert.deepEqual(structuredClone(built), json);
    assert.deepEqual(nft.parse(nft.stringify(built)), nft.parse(nft.stringify(json as object)));
    assertFrozen(built);
  });
}

function assertFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  assert.ok(Object.isFrozen(value), nft.stringify(value));
  Object.values(value).forEach(assertFrozen);
}

test('what the caller passes in stays the caller\u2019s', () => {
  const state = { rate: 1, per: 'second' as const };
  const built = nft.limit(state);
  state.rate = 2;
  assert.deepEqual(built, { limit: { rate: 1, per: 'second' } });
});

test('operands differ by what they stand for, and print as it', () => {
  assert.notDeepEqual(ip.saddr, ip.daddr);
  assert.equal(JSON.stringify([ip.saddr]), JSON.stringify([saddr]));
});

test('directions of ct are found where they are needed', () => {
  assert.deepEqual(ct.packets.toJSON(), { ct: { key: 'packets' } });
  assert.deepEqual(ct.reply.packets.toJSON(), { ct: { key: 'packets', dir: 'reply' } });
  assert.ok(!('saddr' in ct), 'saddr needs a direction');
  assert.ok(!('state' in ct.original), 'state has no direction');
});

const refused: Record<string, [attempt: () => unknown, message: RegExp]> = {
  'a prefix of no address': [() => nft.cidr('10.0.0/8'), /"10.0.0" is no IPv4 or IPv6 address/],
  'a prefix without a length': [
    () => nft.cidr('10.0.0.0'),
    /"10.0.0.0" is no prefix: expected ADDRESS\/LENGTH/,
  ],
  'a prefix with something behind it': [() => nft.cidr('10.0.0.0/8x'), /is no prefix/],
  'a prefix with a zone': [() => nft.cidr('fe80::1%eth0/64'), /is no IPv4 or IPv6 address/],
  'a prefix too long for IPv4': [() => nft.cidr('10.0.0.0/33'), /prefix length 33 .* between 0 and 32/],
  'a prefix too long for IPv6': [
    () => nft.prefix('::', 129),
    /prefix length 129 of :: is not between 0 and 128/,
  ],
  'a prefix length that is no integer': [() => nft.prefix('::', 1.5), /prefix length 1.5/],
  'a range the wrong way round': [() => nft.range(2, 1), /range 2-1 is the wrong way round/],
  'an empty set': [() => nft.set(), /must have an element/],
  'an empty map': [() => tcp.dport.vmap([]), /must have an element/],
  'a jump to nowhere': [() => nft.jump(''), /a chain needs a name/],
  'a name that is too long': [
    () => nft.goto('ä'.repeat(128)),
    /chain name of 256 bytes is too long: at most 255/,
  ],
  'a name with NUL': [() => nft.counter('a\0b'), /counter name "a\\u0000b" contains NUL/],
  'a comment that is too long': [() => nft.comment('x'.repeat(129)), /comment of 129 bytes .* at most 128/],
  'a set without a name': [() => nft.dynset.add('@', ip.saddr), /needs a name after "@"/],
  'a number that is none': [() => tcp.dport.eq(Number.NaN), /NaN has no place in a ruleset/],
  'a function': [() => tcp.dport.eq((() => 22) as never), /a function has no place in a ruleset/],
};

for (const [what, [attempt, message]] of Object.entries(refused)) {
  test(`${what} is refused`, () => {
    assert.throws(attempt, (error) => error instanceof nft.ModelError && message.test(error.message));
  });
}
