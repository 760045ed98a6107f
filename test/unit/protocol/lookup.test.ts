import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ctByKey,
  dccpOption,
  extensionFieldsAt,
  exthdrs,
  families,
  familyByNumber,
  fieldAt,
  findCt,
  findExtensionField,
  findExthdr,
  findFamily,
  findFibFlag,
  findHeader,
  findHeaderField,
  findIpsec,
  findMeta,
  findRt,
  findTcpOption,
  headers,
  inet,
  metaByKey,
  nextHeader,
  nextHeaderValue,
  ProtocolLookupError,
  tcpOptions,
} from '../../../src/protocol/index.ts';

test('a wrong name says what would be valid', () => {
  assert.throws(() => findHeader('ipv4'), {
    name: 'ProtocolLookupError',
    message: /^unknown protocol header "ipv4": expected one of ah, esp, .*, ip, ip6, /,
  });
  assert.throws(() => findHeaderField(headers.vlan, 'vid'), {
    message: 'unknown vlan field "vid": expected one of pcp, dei, cfi, id, type',
  });
  assert.throws(() => findExtensionField(findTcpOption('maxseg'), 'mss'), {
    message: 'unknown tcp option maxseg field "mss": expected one of kind, length, size',
  });
  assert.throws(() => findRt('nexthop'), /expected one of classid, ip nexthop, ip6 nexthop, mtu, ipsec/);
  assert.throws(() => findFibFlag('src'), /expected one of saddr, daddr, mark, iif, oif/);
  assert.throws(
    () => findFamily('ipv6'),
    (error) => error instanceof ProtocolLookupError && error.valid.includes('ip6'),
  );
  for (const inherited of ['constructor', 'toString', '__proto__']) {
    assert.throws(() => findMeta(inherited), ProtocolLookupError);
    assert.throws(() => findHeaderField(headers.ip, inherited), ProtocolLookupError);
  }
});

test('older names mean the same key', () => {
  assert.equal(findMeta('ibriport'), findMeta('ibrname'));
  assert.equal(findMeta('secpath'), findMeta('ipsec'));
  assert.equal(findTcpOption('sack-permitted'), findTcpOption('sack-perm'));
});

test('keys are found by number, families by theirs', () => {
  assert.equal(metaByKey(6)?.name, 'iifname');
  assert.equal(metaByKey(99), undefined);
  assert.equal(ctByKey(19), findCt('ip saddr'));
  assert.equal(familyByNumber(7), families.bridge);
  assert.equal(familyByNumber(2)?.header, headers.ip);
  assert.equal(familyByNumber(4), undefined);
});

test('addresses of routes and transformations depend on the family', () => {
  assert.equal(findRt('nexthop', 'ip').key, 1);
  assert.equal(findRt('nexthop', 'ip6').key, 2);
  assert.equal(findRt('mtu', 'ip').key, 3);
  assert.equal(findIpsec('saddr', 'ip6').key, 4);
  assert.equal(findIpsec('spi').key, 6);
});

test('a header announces the next one by its key', () => {
  assert.equal(nextHeader(headers.ether, 0x0800), headers.ip);
  assert.equal(nextHeader(headers.ether, 0x88a8), headers.vlan);
  assert.equal(nextHeader(headers.ip6, 58), headers.icmpv6);
  assert.equal(nextHeader(headers.ip, 255), undefined);
  assert.equal(nextHeader(headers.ip, 47), headers.gre);
  assert.equal(nextHeaderValue(headers.ether, headers.vlan), 0x8100);
  assert.equal(nextHeaderValue(headers.ip, headers.gretap), 47);
  assert.equal(nextHeaderValue(inet, headers.ip6), 10);
  assert.equal(nextHeaderValue(inet, headers.arp), undefined);
  assert.equal(nextHeaderValue(headers.ip, headers.th), undefined);
});

test('every reference in a header means a field or header that there is', () => {
  for (const header of [
    ...Object.values(headers),
    ...Object.values(families).map((family) => family.header),
  ]) {
    const names = [header.key, header.checksum?.field, ...(header.pseudoHeader ?? [])];
    for (const name of names) if (name) assert.ok(findHeaderField(header, name));
    for (const [, next] of header.next) assert.ok(findHeader(next));
    if (header.keyMeta) assert.ok(findMeta(header.keyMeta));
    assert.ok(Object.isFrozen(header) && Object.isFrozen(header.fields));
  }
  const ids = Object.values(headers).map(({ id }) => id);
  assert.deepEqual(
    [...ids].sort((a, b) => a - b),
    Array.from({ length: 21 }, (_, i) => i + 1),
  );
  for (const { fields, name } of Object.values(headers)) {
    assert.deepEqual(
      Object.values(fields).map(({ index }) => index),
      Object.keys(fields).map((_, i) => i + 1),
      name,
    );
  }
});

test('a place in a header is found again as the first field that fits', () => {
  assert.equal(fieldAt(headers.ip, 8, 6)?.name, 'dscp');
  assert.equal(fieldAt(headers.vlan, 3, 1)?.name, 'dei');
  assert.equal(fieldAt(headers.icmp, 48, 16)?.name, 'sequence');
  assert.equal(fieldAt(headers.ip, 8, 8), undefined);
  const names = (type: number, offset: number, bits: number): string[] =>
    extensionFieldsAt(exthdrs, type, offset, bits).map(
      ({ extension, field }) => `${extension.name} ${field.name}`,
    );
  assert.deepEqual(names(43, 32, 8), ['rt0 reserved', 'srh last-entry']);
  assert.deepEqual(names(44, 32, 32), ['frag id']);
  assert.deepEqual(names(43, 33, 8), []);
  assert.deepEqual(
    extensionFieldsAt(tcpOptions, 5, 80, 32).map(({ extension }) => extension.name),
    ['sack1'],
  );
});

test('selective acknowledgement blocks are numbered as in one table', () => {
  const { left, right } = findTcpOption('sack3').fields;
  assert.deepEqual([left?.index, left?.offset, right?.index, right?.offset], [8, 208, 9, 240]);
});

test('ICMP fields name the messages that have them', () => {
  assert.deepEqual(headers.icmp.fields.id?.icmp, [8, 0]);
  assert.deepEqual(headers.icmpv6.fields.sequence?.icmp, [128, 129]);
  assert.deepEqual(headers.icmpv6.fields.daddr?.icmp, [137]);
  assert.equal(headers.icmpv6.fields.type?.icmp, undefined);
});

test('a DCCP option is a number from 0 to 255', () => {
  assert.equal(dccpOption(43).type, 43);
  for (const type of [-1, 256, 1.5, Number.NaN]) assert.throws(() => dccpOption(type), RangeError);
  assert.equal(findExthdr('srh').routingType, 4);
});
