import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { parseDhcp } from '../../../src/uncloud/learn/dhcp4.ts';
import { parseDhcp6 } from '../../../src/uncloud/learn/dhcp6.ts';
import { datagramIn, sourceOf } from '../../../src/uncloud/learn/packet.ts';
import { arp, dhcp, dhcp6, iaAddress, iaNa, ipv4, ipv6, option, option6, status, udp } from './messages.ts';

const MAC = '02:00:00:00:00:01';
const ack = dhcp({ op: 2, type: 'ack', xid: 0xfffffffe, mac: MAC, given: '10.0.0.7', lease: 600 });

suite('DHCP messages', () => {
  test('what an answer and a request say', () => {
    const { given, ...rest } = parseDhcp(ack) ?? {};
    assert.deepEqual(rest, { type: 'ack', isReply: true, transaction: 0xfffffffe, mac: MAC, lease: 600 });
    assert.equal(given?.text, '10.0.0.7');
    const asked = parseDhcp(
      dhcp({
        type: 'decline',
        xid: 1,
        mac: MAC,
        has: '10.0.0.8',
        options: [option(50, Buffer.from([10, 0, 0, 9]))],
      }),
    );
    assert.deepEqual(
      [asked?.has?.text, asked?.requested?.text, asked?.given],
      ['10.0.0.8', '10.0.0.9', undefined],
    );
    const forEver = parseDhcp(dhcp({ op: 2, type: 'ack', xid: 1, mac: MAC, lease: 0xffffffff }));
    assert.equal(forEver?.lease, Number.POSITIVE_INFINITY);
  });

  test('options in the fields for names, where they are said to be there; the first of a kind counts', () => {
    const lease = Buffer.concat([option(51, Buffer.from([0, 0, 0, 9])), Buffer.from([255])]);
    const message = { op: 2, type: 'ack', xid: 1, mac: MAC } as const;
    const overloaded = (n: number) => [option(52, Buffer.from([n]))];
    assert.equal(parseDhcp(dhcp({ ...message, file: lease, options: overloaded(1) }))?.lease, 9);
    assert.equal(parseDhcp(dhcp({ ...message, sname: lease, options: overloaded(2) }))?.lease, 9);
    assert.equal(parseDhcp(dhcp({ ...message, file: lease, options: overloaded(2) }))?.lease, undefined);
    assert.equal(parseDhcp(dhcp({ ...message, lease: 5, file: lease, options: overloaded(3) }))?.lease, 5);
  });

  test('lengths that are wrong are no values', () => {
    const message = { op: 2, type: 'ack', xid: 1, mac: MAC } as const;
    for (const data of [Buffer.alloc(0), Buffer.alloc(3), Buffer.alloc(255)])
      assert.equal(parseDhcp(dhcp({ ...message, options: [option(51, data)] }))?.lease, undefined);
    const cut = dhcp({ ...message, options: [Buffer.from([51, 4, 0, 0])] });
    assert.equal(parseDhcp(cut.subarray(0, -1))?.lease, undefined);
  });

  test('what is none', () => {
    const changed = (at: number, value: number) => {
      const bytes = Buffer.from(ack);
      bytes[at] = value;
      return parseDhcp(bytes);
    };
    for (const [at, value] of [
      [0, 3],
      [1, 6],
      [2, 16],
      [236, 0],
      [242, 0],
      [242, 9],
    ] as const)
      assert.equal(changed(at, value), undefined, `byte ${at}`);
    for (let length = 0; length < 243; length++) assert.equal(parseDhcp(ack.subarray(0, length)), undefined);
  });

  test('no bytes make it throw or read further', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(ack.length), (noise, at) => {
        parseDhcp(noise);
        const whole = Buffer.concat([ack.subarray(0, at), noise]);
        const copy = new Uint8Array(whole.length + 64).fill(0x33);
        copy.set(whole);
        assert.deepEqual(parseDhcp(whole), parseDhcp(copy.subarray(0, whole.length)));
      }),
      { numRuns: 2000 },
    );
  });
});

suite('DHCPv6 messages', () => {
  const said = (...options: Uint8Array[]) =>
    parseDhcp6(dhcp6('reply', 0xabcdef, ...options))?.addresses.map(
      ({ address, lease }) => `${address.text} ${lease}`,
    );

  test('addresses of a reply, but what a status refuses', () => {
    const one = iaAddress('2001:db8::1', 60);
    assert.equal(parseDhcp6(dhcp6('reply', 0xabcdef))?.transaction, 0xabcdef);
    assert.deepEqual(said(iaNa(one, iaAddress('2001:db8::2', 0xffffffff))), [
      '2001:db8::1 60',
      '2001:db8::2 Infinity',
    ]);
    assert.deepEqual(said(iaNa(one, status(0)), status(0)), ['2001:db8::1 60']);
    assert.deepEqual(said(iaNa(one, status(2))), []);
    assert.deepEqual(said(iaNa(one), status(1)), []);
    assert.deepEqual(said(iaNa(iaAddress('2001:db8::1', 60, status(4)))), []);
    assert.deepEqual(
      said(option6(4, Buffer.concat([Buffer.alloc(4), one]))),
      ['2001:db8::1 60'],
      'temporary',
    );
    assert.deepEqual(said(option6(25, Buffer.concat([Buffer.alloc(12), one]))), [], 'prefixes');
    assert.deepEqual(said(one), [], 'outside of an association');
  });

  test('no bytes make it throw; many addresses are not read', () => {
    const many = said(iaNa(...Array.from({ length: 500 }, (_, n) => iaAddress(`2001:db8::${n + 1}`, 60))));
    assert.equal(many?.length, 64);
    const whole = dhcp6('reply', 5, iaNa(iaAddress('2001:db8::1', 60)));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(whole.length), (noise, at) => {
        parseDhcp6(noise);
        parseDhcp6(Buffer.concat([whole.subarray(0, at), noise]));
      }),
      { numRuns: 2000 },
    );
    for (let length = 0; length < whole.length; length++)
      assert.deepEqual(parseDhcp6(whole.subarray(0, length))?.addresses ?? [], []);
    assert.equal(parseDhcp6(Uint8Array.of(12, 0, 0, 1)), undefined, 'a relay');
  });
});

suite('packets', () => {
  const data = Buffer.from('data');

  test('datagrams, with their source', () => {
    const four = datagramIn(0x0800, ipv4('10.0.0.1', '10.0.0.2', udp(68, 67, data)));
    assert.deepEqual([four?.source.text, four?.sourcePort, four?.port], ['10.0.0.1', 68, 67]);
    assert.equal(Buffer.from(four?.data ?? []).toString(), 'data');
    const six = datagramIn(0x86dd, ipv6('fe80::1', 'ff02::1', udp(546, 547, data)));
    assert.deepEqual([six?.source.text, six?.sourcePort, six?.port], ['fe80::1', 546, 547]);
  });

  test('no fragment, no other protocol, nothing behind the end of the datagram', () => {
    assert.equal(datagramIn(0x0800, ipv4('10.0.0.1', '10.0.0.2', udp(1, 2, data), 17, 0x2000)), undefined);
    assert.equal(datagramIn(0x0800, ipv4('10.0.0.1', '10.0.0.2', udp(1, 2, data), 17, 1)), undefined);
    assert.equal(datagramIn(0x0800, ipv4('10.0.0.1', '10.0.0.2', udp(1, 2, data), 6)), undefined);
    assert.equal(datagramIn(0x0806, ipv4('10.0.0.1', '10.0.0.2', udp(1, 2, data))), undefined);
    const padded = Buffer.concat([ipv4('10.0.0.1', '10.0.0.2', udp(1, 2, data)), Buffer.from('padding')]);
    assert.equal(datagramIn(0x0800, padded)?.data.length, 4);
  });

  test('whose address a packet comes from', () => {
    assert.equal(sourceOf(0x0800, ipv4('10.0.0.1', '10.0.0.2', data), MAC)?.text, '10.0.0.1');
    assert.equal(sourceOf(0x86dd, ipv6('2001:db8::1', '::1', data), MAC)?.text, '2001:db8::1');
    assert.equal(sourceOf(0x0806, arp(MAC, '10.0.0.1', '10.0.0.2'), MAC)?.text, '10.0.0.1');
    assert.equal(sourceOf(0x0806, arp('02:00:00:00:00:02', '10.0.0.1', '10.0.0.2'), MAC), undefined);
    assert.equal(sourceOf(0x0806, arp(MAC, '10.0.0.1', '10.0.0.2').subarray(0, 27), MAC), undefined);
    assert.equal(sourceOf(0x0800, ipv6('2001:db8::1', '::1', data), MAC), undefined);
    assert.equal(sourceOf(undefined, ipv4('10.0.0.1', '10.0.0.2', data), MAC), undefined);
  });

  test('no bytes make them throw', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.constantFrom(0x0800, 0x86dd, 0x0806),
        (noise, protocol) => {
          datagramIn(protocol, noise);
          sourceOf(protocol, noise, MAC);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
