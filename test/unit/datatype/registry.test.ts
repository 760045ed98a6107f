import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatId, datatype, datatypes, splitConcatId, symbolsOf } from '../../../src/datatype/index.ts';

test('every type is found under its own name', () => {
  for (const [name, type] of Object.entries(datatypes)) {
    assert.equal(type.name, name);
    assert.equal(datatype(name), type);
    assert.ok(Object.isFrozen(type));
  }
});

test('an unknown name is refused with the nearest ones', () => {
  assert.throws(() => datatype('ipv4_adr'), /"ipv4_adr" is not a valid data type: .*nearest: ipv4_addr/);
  assert.throws(() => datatype('toString'), { name: 'DatatypeError' });
});

/** As `nft --debug=mnl add set` shows them in NFTA_SET_KEY_TYPE. */
test('types have the numbers that nft sends', () => {
  const numbers = Object.fromEntries(Object.values(datatypes).map(({ name, id }) => [name, id]));
  assert.deepEqual(numbers, {
    verdict: 1,
    nf_proto: 2,
    bitmask: 3,
    integer: 4,
    xinteger: 4,
    string: 5,
    ll_addr: 6,
    ipv4_addr: 7,
    ipv6_addr: 8,
    ether_addr: 9,
    ether_type: 10,
    arp_op: 11,
    inet_proto: 12,
    inet_service: 13,
    icmp_type: 14,
    tcp_flag: 15,
    dccp_pkttype: 16,
    mh_type: 17,
    time: 18,
    mark: 19,
    iface_index: 20,
    iface_type: 21,
    realm: 22,
    classid: 23,
    uid: 24,
    gid: 25,
    ct_state: 26,
    ct_dir: 27,
    ct_status: 28,
    icmpv6_type: 29,
    ct_label: 30,
    pkt_type: 31,
    icmp_code: 32,
    icmpv6_code: 33,
    icmpx_code: 34,
    devgroup: 35,
    dscp: 36,
    ecn: 37,
    fib_addrtype: 38,
    boolean: 39,
    ct_event: 40,
    ifname: 41,
    igmp_type: 42,
    date: 43,
    hour: 44,
    day: 45,
    cgroupsv2: 46,
  });
});

test('a concatenation is numbered by its types, the first one highest', () => {
  const { ipv4_addr, inet_service, ifname, ether_addr, ipv6_addr } = datatypes;
  assert.equal(concatId([ipv4_addr]), 7);
  assert.equal(concatId([ipv4_addr, inet_service]), (7 << 6) | 13);
  assert.equal(concatId([ifname, ether_addr, ipv6_addr]), (41 << 12) | (9 << 6) | 8);
  const five = [ifname, ifname, ifname, ifname, ifname];
  assert.deepEqual(splitConcatId(concatId(five)), five);
  assert.deepEqual(splitConcatId((7 << 6) | 13), [ipv4_addr, inet_service]);
  assert.equal(splitConcatId(concatId([...five, ipv4_addr])), undefined);
  assert.equal(splitConcatId(0), undefined);
  assert.equal(splitConcatId(63), undefined);
});

test('the symbols of a type are those of its values, and none where they have no names', () => {
  for (const [symbol, value] of symbolsOf('icmpv6_type')) {
    assert.equal(datatypes.icmpv6_type.parse(symbol), value);
  }
  assert.equal(symbolsOf('icmp_type').get('echo-request'), 8n);
  assert.equal(symbolsOf('ipv4_addr').size, 0);
});
