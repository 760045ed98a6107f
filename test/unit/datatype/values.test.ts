import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Datatype,
  DatatypeError,
  type DatatypeName,
  datatypes,
  formatText,
  type Literal,
  splitFlags,
  toBytes,
} from '../../../src/datatype/index.ts';
import '../../support/seed.ts';

type Known = readonly [literal: Literal, value: bigint, json: Literal, text: string, bits?: number];

/** Literals, their values, and what nft 1.0.6 lists for them in JSON and in its own syntax. */
const known: Partial<Record<DatatypeName, readonly Known[]>> = {
  integer: [
    [80, 80n, 80, '80', 16],
    ['0x50', 80n, 80, '80', 16],
    ['0120', 80n, 80, '80', 16],
    [2n ** 64n - 1n, 2n ** 64n - 1n, '18446744073709551615', '18446744073709551615', 64],
    [2n ** 64n, 2n ** 64n, '0x10000000000000000', '18446744073709551616', 128],
  ],
  xinteger: [[22, 22n, 22, '0x16', 16]],
  bitmask: [[6, 6n, 6, '0x6', 8]],
  boolean: [
    [true, 1n, true, 'exists'],
    [false, 0n, false, 'missing'],
    ['exists', 1n, true, 'exists'],
    [0, 0n, false, 'missing'],
  ],
  ipv4_addr: [
    ['192.0.2.1', 0xc0000201n, '192.0.2.1', '192.0.2.1'],
    [1, 1n, '0.0.0.1', '0.0.0.1'],
  ],
  ipv6_addr: [
    ['2001:DB8:0:0:0:0:0:1', 0x20010db8_00000000_00000000_00000001n, '2001:db8::1', '2001:db8::1'],
    ['::ffff:1.2.3.4', 0xffff_01020304n, '::ffff:1.2.3.4', '::ffff:1.2.3.4'],
    ['::1.2.3.4', 0x01020304n, '::1.2.3.4', '::1.2.3.4'],
    ['::', 0n, '::', '::'],
    ['::1', 1n, '::1', '::1'],
    ['0:0:0:0:0:ffff:0:0', 0xffff_00000000n, '::ffff:0.0.0.0', '::ffff:0.0.0.0'],
    ['1:0:0:2:0:0:0:3', 0x0001_0000_0000_0002_0000_0000_0000_0003n, '1:0:0:2::3', '1:0:0:2::3'],
    ['1:0:3:4:5:6:7:8', 0x0001_0000_0003_0004_0005_0006_0007_0008n, '1:0:3:4:5:6:7:8', '1:0:3:4:5:6:7:8'],
  ],
  ether_addr: [['1:2:3:4:5:FF', 0x0102030405ffn, '01:02:03:04:05:ff', '01:02:03:04:05:ff']],
  ll_addr: [['0:2:3', 0x000203n, '00:02:03', '00:02:03', 24]],
  ether_type: [
    ['vlan', 0x8100n, '8021q', '8021q'],
    [0x1234, 0x1234n, 0x1234, '0x1234'],
  ],
  arp_op: [[99, 99n, 99, '99']],
  inet_proto: [
    ['tcp', 6n, 'tcp', 'tcp'],
    ['UDP', 17n, 'udp', 'udp'],
    ['icmpv6', 58n, 'ipv6-icmp', 'ipv6-icmp'],
    ['comp', 108n, 'ipcomp', 'ipcomp'],
    [200, 200n, 200, '200'],
  ],
  inet_service: [
    ['ssh', 22n, 22, '22'],
    ['https', 443n, 443, '443'],
    ['0x16', 22n, 22, '22'],
    ['022', 18n, 18, '18'],
  ],
  dscp: [
    ['be', 0n, 'cs0', 'cs0'],
    [3, 3n, 3, '0x03'],
  ],
  ecn: [['ce', 3n, 'ce', 'ce']],
  tcp_flag: [
    ['syn', 2n, 'syn', 'syn'],
    [0, 0n, 0, '0x0'],
  ],
  icmpv6_type: [
    ['nd-router-advert', 134n, 'nd-router-advert', 'nd-router-advert'],
    ['mld-listener-reduction', 132n, 'mld-listener-done', 'mld-listener-done'],
  ],
  icmp_type: [[77, 77n, 77, '77']],
  mark: [['0x32', 50n, 50, '0x00000032']],
  devgroup: [[11, 11n, 11, '11']],
  realm: [[5, 5n, '5', '5']],
  classid: [
    ['bcad:dada', 0xbcaddadan, 'bcad:dada', 'bcad:dada'],
    ['root', 0xffffffffn, 'root', 'root'],
    ['none', 0n, 'none', 'none'],
    [10, 10n, '0:a', '0:a'],
    ['1:', 0x10000n, '1:0', '1:0'],
  ],
  uid: [
    ['root', 0n, 0, '0'],
    [4242, 4242n, 4242, '4242'],
  ],
  gid: [['root', 0n, 0, '0']],
  ct_state: [
    ['established', 2n, 'established', 'established'],
    [128, 128n, 128, '0x80'],
  ],
  ct_status: [[0, 0n, 0, '0x0']],
  ct_label: [
    [5, 32n, 5, '5'],
    [127, 1n << 127n, 127, '127'],
    [
      '0x00000000000000000000000000000003',
      3n,
      '0x00000000000000000000000000000003',
      '0x00000000000000000000000000000003',
    ],
  ],
  pkt_type: [['unicast', 0n, 'host', 'host']],
  ifname: [['eth0', fromAscii('eth0'), 'eth0', '"eth0"']],
  string: [['ftp', fromAscii('ftp'), 'ftp', '"ftp"', 128]],
  iface_index: [
    ['lo', 1n, 'lo', '"lo"'],
    [4294967295, 4294967295n, '4294967295', '4294967295'],
  ],
  time: [
    [30, 30_000n, 30, '30s'],
    ['1d2h3m4s', 93_784_000n, 93784, '1d2h3m4s'],
    ['61m', 3_660_000n, 3660, '1h1m'],
    ['30000ms', 30_000n, 30, '30s'],
    ['1500ms', 1500n, '1s500ms', '1s500ms'],
    [0, 0n, 0, '0s'],
  ],
  day: [
    ['Saturday', 6n, 'Saturday', '"Saturday"'],
    ['mon', 1n, 'Monday', '"Monday"'],
    [3, 3n, 'Wednesday', '"Wednesday"'],
  ],
};

/** The bytes of a text in host order, all of them in the type's 16 bytes. */
function fromAscii(text: string): bigint {
  const bytes = Buffer.alloc(16);
  bytes.write(text, 'latin1');
  const little = toBytes(1n, 2, 'host')[0] === 1;
  return BigInt(`0x${(little ? bytes.reverse() : bytes).toString('hex')}`);
}

for (const [name, cases] of Object.entries(known) as [DatatypeName, Known[]][]) {
  test(`${name} reads and lists values as nft does`, () => {
    const type: Datatype = datatypes[name];
    for (const [literal, value, json, text, bits] of cases) {
      assert.equal(type.parse(literal, bits), value, String(literal));
      assert.equal(type.format(value, bits), json);
      assert.equal(formatText(type, value, bits), text);
    }
  });
}

const refused: Partial<Record<DatatypeName, readonly Literal[]>> = {
  verdict: ['accept', 1],
  integer: ['08', '0b1', '1e3', ' 1', '1 ', '+1', '-1', '0x', 2 ** 53, true],
  ipv4_addr: [
    '1.2.3',
    '1',
    '010.1.1.1',
    '1.2.3.256',
    '0x1.2.3.4',
    '1.2.3.4/24',
    '1.2.3.4 ',
    '::1',
    'localhost',
  ],
  ipv6_addr: [
    '1::2%lo',
    '::ffff:010.1.1.1',
    '1:2:3:4:5:6:7',
    '1::2::3',
    '12345::',
    '[::1]',
    '1.2.3.4',
    '::/0',
  ],
  ether_addr: ['1:2:3:4:5', '1:2:3:4:5:6:7', '1:2:3:4:5:100', '1-2-3-4-5-6', '::1:2:3:4'],
  inet_service: ['65536', 'no-such-service', 'constructor'],
  inet_proto: ['no-such-protocol', 256, 'toString'],
  ifname: ['0123456789012345', 'a b', 'a/b', '.', '..', 'tab\t', 5, 'äääääääää'],
  iface_index: ['no-such-device', '../lo', '.'],
  ct_state: ['ESTABLISHED', 'established,related'],
  ct_label: [128, 'no-such-label'],
  classid: ['1:2:3', '10000:1', ':g', 'leaf'],
  uid: ['no such user', '#root'],
  time: ['1w', '3s1h', '1d1d', '1000d', 'ms', '1.5s'],
  date: ['2019-02-30', '2019-13-01', '2019-06-21 24:00', '1960-01-01', 'tomorrow', '2600-01-01'],
  hour: ['24:00', '12:60', '1:2:60', 'noon'],
  day: ['S', 'Mo nday', 7, 'Someday'],
  cgroupsv2: ['no/such/group', '../..'],
  realm: ['no-such-realm'],
  mark: ['no-such-mark', 2 ** 32],
};

for (const [name, literals] of Object.entries(refused) as [DatatypeName, Literal[]][]) {
  test(`${name} refuses what means nothing in it, and says what would`, () => {
    for (const literal of literals) {
      assert.throws(
        () => datatypes[name].parse(literal),
        (error) =>
          error instanceof DatatypeError && error.expected.length > 3 && error.message.includes(name),
        String(literal),
      );
    }
  });
}

test('addresses are what inet_pton(3) takes, and nothing else', () => {
  const piece = fc.constantFrom(
    ...[
      ':',
      '::',
      '0',
      '1',
      'ffff',
      '00001',
      '1.2.3.4',
      '01.2.3.4',
      '255.255.255.256',
      '.',
      'g',
      '%',
      '/',
      '[',
      '-1',
    ],
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 16 }).map((pieces) => pieces.join('')),
    fc.ipV4(),
    fc.ipV6(),
  );
  const accepts = (type: Datatype, literal: string) => {
    try {
      type.parse(literal);
      return true;
    } catch (error) {
      assert.ok(error instanceof DatatypeError);
      return false;
    }
  };
  fc.assert(
    fc.property(text, (literal) => {
      assert.equal(accepts(datatypes.ipv4_addr, literal), isIPv4(literal));
      assert.equal(accepts(datatypes.ipv6_addr, literal), isIPv6(literal) && !literal.includes('%'));
    }),
    { numRuns: 2000 },
  );
});

test('an IPv6 address has the value another reader gives it', () => {
  fc.assert(
    fc.property(fc.ipV6(), (literal) => {
      const { hostname } = new URL(`http://[${literal}]`);
      assert.equal(datatypes.ipv6_addr.parse(literal), datatypes.ipv6_addr.parse(hostname.slice(1, -1)));
    }),
  );
});

test('a name that is no UTF-8 is carried through text unchanged', () => {
  const value = 0xff80n;
  const name = datatypes.ifname.format(value) as string;
  assert.equal(datatypes.ifname.parse(JSON.parse(JSON.stringify(name))), value);
});

test('flags of a bitmask come lowest first', () => {
  assert.deepEqual(splitFlags(0n), []);
  assert.deepEqual(splitFlags(0x4an), [2n, 8n, 64n]);
  assert.deepEqual(splitFlags((1n << 127n) | 1n), [1n, 1n << 127n]);
});
