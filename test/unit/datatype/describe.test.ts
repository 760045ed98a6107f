import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { type DatatypeName, datatypes, fromBytes, toBytes } from '../../../src/datatype/index.ts';
import { requires } from '../../support/requirements.ts';

/** What `nft describe` says of an expression: the size, and the symbols in order. */
function describe(words: readonly string[]): { bits: number; base: string; symbols: [string, string][] } {
  const text = execFileSync('nft', ['describe', ...words], { encoding: 'utf8' });
  const [, base = '', bits = ''] = /\(basetype ([a-z ]+).*\), (\d+) bits/.exec(text) ?? [];
  const symbols = [...text.matchAll(/^\t(\S+)\s+(?:\t\s*)?(\S+)$/gm)].map(
    ([, name = '', value = '']): [string, string] => [name, value],
  );
  return { bits: Number(bits), base, symbols };
}

/** Types whose symbols are nft's own, and the words that make nft describe them. */
const described: Partial<Record<DatatypeName, string[]>> = {
  nf_proto: ['nf_proto'],
  ether_type: ['ether_type'],
  arp_op: ['arp_op'],
  icmp_type: ['icmp_type'],
  tcp_flag: ['tcp_flag'],
  dccp_pkttype: ['dccp_pkttype'],
  mh_type: ['mh_type'],
  iface_type: ['iface_type'],
  ct_state: ['ct_state'],
  ct_dir: ['ct_dir'],
  ct_status: ['ct_status'],
  icmpv6_type: ['icmpv6_type'],
  pkt_type: ['pkt_type'],
  icmp_code: ['icmp_code'],
  icmpv6_code: ['icmpv6_code'],
  icmpx_code: ['icmpx_code'],
  dscp: ['dscp'],
  ecn: ['ip', 'ecn'],
  fib_addrtype: ['fib_addrtype'],
  boolean: ['boolean'],
  ct_event: ['ct', 'event'],
  igmp_type: ['igmp_type'],
  day: ['day'],
};

for (const [name, words] of Object.entries(described) as [DatatypeName, string[]][]) {
  test(`${name}: size, base and symbols are nft's, in nft's order`, requires('nft'), () => {
    const type = datatypes[name];
    const { bits, base, symbols } = describe(words);
    assert.equal(type.bits, bits);
    assert.equal(type.base, base);
    // nft prints hexadecimal values as the machine reads the bytes it compares.
    const length = Math.ceil(bits / 8);
    const value = (text: string) =>
      text.startsWith('0x') ? fromBytes(toBytes(BigInt(text), length, 'host'), type.byteorder) : BigInt(text);
    assert.deepEqual(
      [...(type.symbols ?? [])],
      symbols.map(([symbol, text]) => [symbol, value(text)]),
    );
    assert.ok(symbols.length > 1);
  });
}

test('protocols have the numbers that nft knows them by', requires('nft'), () => {
  const { symbols } = describe(['inet_proto']);
  const { parse, symbols: ours } = datatypes.inet_proto;
  const common = symbols.filter(([name]) => ours?.has(name));
  assert.ok(common.length > 20, `${common.length} protocols in common`);
  for (const [name, number] of common) assert.equal(parse(name), BigInt(number), name);
});

/** Types without symbols of nft's own: their sizes. */
const sized: readonly DatatypeName[] = [
  'ipv4_addr',
  'ipv6_addr',
  'ether_addr',
  'inet_proto',
  'inet_service',
  'mark',
  'iface_index',
  'realm',
  'classid',
  'uid',
  'gid',
  'devgroup',
  'ifname',
  'hour',
  'cgroupsv2',
];

for (const name of sized) {
  test(`${name}: size is nft's`, requires('nft'), () => {
    assert.equal(datatypes[name].bits, describe([name]).bits);
  });
}

test('the sizes of times and labels are those of the expressions that have them', requires('nft'), () => {
  assert.equal(datatypes.time.bits, describe(['ct', 'expiration']).bits);
  assert.equal(datatypes.date.bits, describe(['meta', 'time']).bits);
  assert.equal(datatypes.ct_label.bits, describe(['ct', 'label']).bits);
});
