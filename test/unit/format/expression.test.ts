import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatExpression, formatStatement } from '../../../src/format/index.ts';
import type { Expression } from '../../../src/model/index.ts';

const saddr = { payload: { protocol: 'ip', field: 'saddr' } } as const;
const mark = { meta: { key: 'mark' } } as const;
const raw = { payload: { base: 'th', offset: 16, len: 16 } } as const;

const rows: readonly (readonly [Expression, text: string])[] = [
  [saddr, 'ip saddr'],
  [{ payload: { protocol: 'ip', field: 'saddr', tunnel: 'vxlan' } }, 'vxlan ip saddr'],
  [{ payload: { protocol: 'vxlan', field: 'vni', tunnel: 'vxlan' } }, 'vxlan vni'],
  [{ payload: { protocol: 'arp', field: 'saddr ether' } }, 'arp saddr ether'],
  [raw, '@th,16,16'],
  [{ exthdr: { name: 'frag' } }, 'exthdr frag'],
  [{ exthdr: { name: 'frag', field: 'more-fragments' } }, 'frag more-fragments'],
  [{ 'tcp option': { name: 'maxseg', field: 'size' } }, 'tcp option maxseg size'],
  [{ 'tcp option': { base: 12, offset: 16, len: 16 } }, 'tcp option @12,16,16'],
  [{ 'ip option': { name: 'ra' } }, 'ip option ra'],
  [{ 'sctp chunk': { name: 'data', field: 'tsn' } }, 'sctp chunk data tsn'],
  [{ 'dccp option': { type: 43 } }, 'dccp option 43'],
  [{ meta: { key: 'iifname' } }, 'iifname'],
  [{ meta: { key: 'ibriport' } }, 'meta ibrname'],
  [mark, 'meta mark'],
  [{ ct: { key: 'saddr', dir: 'original', family: 'ip' } }, 'ct original ip saddr'],
  [{ rt: { key: 'nexthop', family: 'ip6' } }, 'rt ip6 nexthop'],
  [{ fib: { result: 'check', flags: ['saddr', 'iif'] } }, 'fib saddr . iif oif'],
  [{ fib: { result: 'type', flags: 'daddr' } }, 'fib daddr type'],
  [{ socket: { key: 'cgroupv2', level: 2 } }, 'socket cgroupv2 level 2'],
  [{ osf: { key: 'name', ttl: 'loose' } }, 'osf ttl loose name'],
  [{ ipsec: { key: 'saddr', dir: 'in', spnum: 2, family: 'ip' } }, 'ipsec in spnum 2 ip saddr'],
  [{ ipsec: { key: 'spi', dir: 'out', spnum: 0 } }, 'ipsec out spi'],
  [{ tunnel: { key: 'id' } }, 'tunnel id'],
  [{ numgen: { mode: 'inc', mod: 4, offset: 0 } }, 'numgen inc mod 4'],
  [{ symhash: { mod: 4, offset: 3 } }, 'symhash mod 4 offset 3'],
  [
    { jhash: { mod: 4, seed: 4660, offset: 2, expr: { concat: [saddr, mark] } } },
    'jhash ip saddr . meta mark mod 4 seed 0x1234 offset 2',
  ],
  [{ '|': [{ '&': [mark, 255] }, 3] }, 'meta mark & 0x000000ff | 0x00000003'],
  [{ '&': [{ '|': [mark, 255] }, 3] }, '(meta mark | 0x000000ff) & 0x00000003'],
  [{ '>>': [{ '^': [mark, 1] }, 12] }, '(meta mark ^ 0x00000001) >> 12'],
  [{ '|': [mark, 1, 2] }, 'meta mark | 0x00000001 | 0x00000002'],
  [{ '|': [{ '<<': [{ payload: { protocol: 'ip', field: 'dscp' } }, 2] }, 16] }, 'ip dscp << 2 | 0x10'],
  [{ '&': [raw, 240] }, '@th,16,16 & 0xf0'],
  [{ prefix: { addr: '10.0.0.0', len: 8 } }, '10.0.0.0/8'],
  [{ map: { key: saddr, data: '@m' } }, 'ip saddr map @m'],
  [
    { elem: { val: '192.0.2.1', timeout: 60, expires: 30, comment: 'x', counter: { packets: 1, bytes: 2 } } },
    '192.0.2.1 counter packets 1 bytes 2 timeout 1m expires 30s comment "x"',
  ],
  ['@blocked', '@blocked'],
  [true, 'exists'],
  [2n ** 63n, '9223372036854775808'],
];

test('expressions in nft syntax', () => {
  for (const [expression, text] of rows) assert.equal(formatExpression(expression), text);
});

/** A literal takes its form from what it is compared with. */
const compared: readonly (readonly [left: Expression, right: Expression, text: string])[] = [
  [mark, 1, '0x00000001'],
  [raw, 22, '0x16'],
  [{ meta: { key: 'iifname' } }, 'eth*', '"eth*"'],
  [{ meta: { key: 'iif' } }, 'gone0', '"gone0"'],
  [{ meta: { key: 'l4proto' } }, 6, 'tcp'],
  [{ meta: { key: 'l4proto' } }, { range: [6, 17] }, '6-17'],
  [{ meta: { key: 'l4proto' } }, { range: ['tcp', 'udp'] }, '6-17'],
  [{ meta: { key: 'day' } }, { set: ['Monday', { range: ['Tuesday', 'Friday'] }] }, '{ "Monday", 2-5 }'],
  [{ meta: { key: 'protocol' } }, 'vlan', '8021q'],
  [{ meta: { key: 'protocol' } }, { range: ['ip', 'arp'] }, '0x0800-0x0806'],
  [{ ct: { key: 'expiration' } }, 93_780, '1d2h3m'],
  [{ ct: { key: 'expiration' } }, { range: [33, 88] }, '33s-88s'],
  [{ payload: { protocol: 'tcp', field: 'flags' } }, { range: [1, { '|': ['fin', 'syn'] }] }, '0x1-0x3'],
  [{ ct: { key: 'helper' } }, 'ftp', '"ftp"'],
  [{ ct: { key: 'proto-dst', dir: 'original' } }, 'ssh', '22'],
  [{ ct: { key: 'saddr', dir: 'original' } }, '192.0.2.1', '192.0.2.1'],
  [{ fib: { result: 'oif', flags: ['saddr'] } }, false, 'missing'],
  [{ exthdr: { name: 'hbh' } }, true, 'exists'],
  [{ payload: { protocol: 'icmp', field: 'type' } }, 8, 'echo-request'],
  [{ payload: { protocol: 'ip', field: 'dscp' } }, 8, 'cs1'],
  [{ payload: { protocol: 'ip', field: 'dscp' } }, 3, '0x03'],
  [{ payload: { protocol: 'ip', field: 'dscp' } }, 0x40, '0x40'],
  [
    { concat: [saddr, { meta: { key: 'iifname' } }] },
    { set: [{ concat: ['192.0.2.1', 'lo'] }] },
    '{ 192.0.2.1 . "lo" }',
  ],
];

test('literals are written in the type of the other side', () => {
  for (const [left, right, text] of compared) {
    const whole = formatStatement({ match: { op: '==', left, right } });
    assert.equal(whole, `${formatExpression(left)} ${text}`);
  }
});

test('what no table knows is written as it is', () => {
  const unknown = { payload: { protocol: 'quic', field: 'spin' } } as never;
  assert.equal(formatStatement({ match: { op: '==', left: unknown, right: 1 } }), 'quic spin 1');
  assert.equal(formatExpression({ cosine: 1 } as never), '# not in nft syntax: {"expression":{"cosine":1}}');
  assert.equal(formatExpression('a "b"'), '# not in nft syntax: {"expression":"a \\"b\\""}');
});
