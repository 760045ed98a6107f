import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { suite, test } from 'node:test';
import {
  linkIn,
  type Route,
  reportIn,
  routeIn,
  routeRequest,
  routesRequest,
} from '../../../src/rtnetlink/index.ts';
import { netlinkFrames } from '../../../src/wire/netlink.ts';

const plain: Route = {
  family: 'ip6',
  dst: '2001:db8:a::/56',
  type: 'unicast',
  table: 254,
  metric: 1024,
  protocol: 117,
  gateway: 'fe80::1',
  oif: 7,
  onlink: true,
};
const ROUTES: readonly Route[] = [
  plain,
  { ...plain, table: 70_000, oif: 0x12345678 },
  {
    family: 'ip',
    dst: '0.0.0.0/0',
    type: 'unicast',
    table: 255,
    metric: 0,
    protocol: 4,
    gateway: '192.0.2.1',
  },
  { family: 'ip6', dst: '::/0', type: 'unreachable', table: 1, metric: 0xffffffff, protocol: 255 },
  { family: 'ip', dst: '198.51.100.7/32', type: 'blackhole', table: 1, metric: 1, protocol: 0 },
];

suite('messages about routes', () => {
  test('say what they are given, as the kernel would say it', () => {
    for (const [sequence, route] of ROUTES.entries()) {
      for (const verb of ['create', 'replace', 'delete'] as const) {
        const [message, ...more] = netlinkFrames(routeRequest({ verb, route }, sequence));
        assert.ok(message);
        assert.equal(more.length, 0);
        assert.equal(message.sequence, sequence);
        assert.deepEqual(routeIn(message), { gone: verb === 'delete', route });
        assert.equal(linkIn(message), undefined);
      }
    }
  });

  test('are laid out as linux/rtnetlink.h has them', { skip: endianness() === 'BE' }, () => {
    const hex =
      '4c000000180005060100000000000000' +
      '0a380000fe750001' +
      '04000000' +
      '1400010020010db8000a00000000000000000000' +
      '0800040001000000' +
      '14000500fe800000000000000000000000000001' +
      '0800060000040000';
    const expected = Buffer.from(hex, 'hex');
    expected.writeUInt32LE(expected.length, 0);
    assert.deepEqual(
      Buffer.from(routeRequest({ verb: 'create', route: { ...plain, oif: 1 } }, 1)).toString('hex'),
      expected.toString('hex'),
    );
    assert.deepEqual(
      Buffer.from(routesRequest({ family: 'ip', protocol: 117 })).toString('hex'),
      '1c0000001a00010301000000000000000200000000750000' + '00000000',
    );
  });

  test('that are clones, of other families, or cut off, are no routes', () => {
    const [message] = netlinkFrames(routeRequest({ verb: 'create', route: plain }, 1));
    assert.ok(message);
    const changed = (at: number, byte: number) => {
      const body = message.body.slice();
      body[at] = byte;
      return routeIn({ ...message, body });
    };
    assert.equal(changed(9, 2), undefined, 'RTM_F_CLONED');
    assert.equal(changed(0, 28), undefined, 'MPLS');
    assert.throws(() => routeIn({ ...message, body: message.body.subarray(0, -2) }), { name: 'WireError' });
    const bytes = routeRequest({ verb: 'create', route: plain }, 1);
    for (const cut of [1, 15, 40])
      assert.throws(() => [...netlinkFrames(bytes.subarray(0, cut))], { name: 'WireError' });
  });
});

suite('reports', () => {
  const report = (flags: number, body: string) => ({
    type: 2,
    flags,
    sequence: 9,
    port: 0,
    body: Buffer.from(body, 'hex'),
  });

  test('tell the error, and the kernel’s words behind the request or in its place', () => {
    const header = '1c000000180005060900000000000000';
    const words = `0c000100${Buffer.from('no way\0').toString('hex')}00`;
    const rest = '000000000000000000000000';
    assert.deepEqual(reportIn(report(0, `00000000${header}`)), { sequence: 9, errno: 0, text: '' });
    assert.deepEqual(reportIn(report(0, `efffffff${header}`)), { sequence: 9, errno: 17, text: '' });
    for (const [flags, body] of [
      [0x300, `eaffffff${header}${words}`],
      [0x200, `eaffffff${header}${rest}${words}`],
    ] as const)
      assert.deepEqual(reportIn(report(flags, body)), { sequence: 9, errno: 22, text: 'no way' });
    assert.equal(reportIn({ ...report(0, ''), type: 24 }), undefined);
  });
});
