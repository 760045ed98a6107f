import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { connect } from '../../../src/index.ts';
import { factsOf, parseHost, parsePolicy, render } from '../../../src/uncloud/index.ts';
import { ethernet, ipv4, ipv6, tcp, udp, zeros } from '../../support/frames/packet/index.ts';
import { type BridgePlan, type Delivery, Rig } from '../../support/frames/rig.ts';
import { requires } from '../../support/requirements.ts';

/** Builds the bridges and puts the policy in force with all that the kernel has. */
async function applied(
  plan: Readonly<Record<string, BridgePlan>>,
  host: object,
  policy: object,
  prepare: (rig: Rig) => void = () => {},
): Promise<Rig> {
  const rig = await Rig.build(plan);
  try {
    prepare(rig);
    const described = parseHost(host);
    const { policy: valid, problems } = parsePolicy(policy, { host: described });
    assert.deepEqual(problems, []);
    using nft = connect({ netns: rig.netns });
    const { ruleset } = render({ host: described, policy: valid, facts: await factsOf(nft) });
    await nft.commit(ruleset);
    return rig;
  } catch (error) {
    rig.close();
    throw error;
  }
}

const SYN = 0x02;
const SYN_ACK = 0x12;
const RST = 0x04;

const mac = (n: number) => `02:00:00:00:00:0${n}`;
const frame = (from: number, to: number, layer: Parameters<typeof ipv4>[1]) =>
  ethernet({ src: mac(from), dst: mac(to) }, ipv4({ src: `10.0.0.${from}`, dst: `10.0.0.${to}` }, layer));

const nic = (ifname: string, bridge: string, n: number, groups: string[]) => ({
  nics: [{ ifname, bridge, mac: mac(n), ipv4: [`10.0.0.${n}/32`], groups }],
});

const needs = ['root', 'ip', 'bridge', 'veth', 'ibrname', 'bridge-conntrack', 'bridge-reject'] as const;

suite('two guests in groups, with connections', requires(...needs), () => {
  let rig: Rig;
  before(async () => {
    // Two private networks with the same addresses, whose flows must not meet.
    rig = await applied(
      { br1: { ports: ['up1', 'web1', 'shy1'] }, br2: { ports: ['up2', 'web2', 'shy2'] } },
      {
        bridges: {
          br1: { uplinks: ['up1'], shared: false, mac: '02:00:00:00:01:00' },
          br2: { uplinks: ['up2'], shared: false, mac: '02:00:00:00:02:00' },
        },
      },
      {
        vms: {
          a: nic('web1', 'br1', 1, ['web']),
          b: nic('shy1', 'br1', 2, ['shy']),
          c: { nics: [{ ...nic('web2', 'br2', 1, ['web']).nics[0], mac: mac(3) }] },
          d: { nics: [{ ...nic('shy2', 'br2', 2, ['shy']).nics[0], mac: mac(4) }] },
        },
        groups: {
          web: {
            rules: [
              { direction: 'in', action: 'accept', protocol: 'tcp', ports: [80] },
              { direction: 'in', action: 'reject', protocol: 'tcp', ports: [113] },
            ],
          },
          shy: {
            rules: [{ direction: 'out', action: 'accept', protocol: 'udp' }],
            default: { in: 'drop', out: 'accept' },
          },
        },
      },
      (rig) => rig.forget(),
    );
  });
  after(() => rig?.close());

  const arrives = (port: string, sent: Buffer, at: string) => rig.deliver(port, sent).arrivedAt.includes(at);

  test('a connection that the group lets in has its answers let out', () => {
    assert.ok(arrives('up1', frame(9, 1, tcp(40000, 80, SYN)), 'web1'));
    assert.ok(arrives('web1', frame(1, 9, tcp(80, 40000, SYN_ACK)), 'up1'));
    assert.ok(!arrives('up1', frame(9, 1, tcp(40000, 22, SYN)), 'web1'));
  });

  test('what a guest asks for is answered, and nothing else comes in', () => {
    assert.ok(!arrives('up1', frame(9, 2, udp(53, 5000)), 'shy1'));
    assert.ok(arrives('shy1', frame(2, 9, udp(5000, 53)), 'up1'));
    assert.ok(arrives('up1', frame(9, 2, udp(53, 5000)), 'shy1'));
    assert.ok(!arrives('up1', frame(9, 2, udp(53, 5001)), 'shy1'));
  });

  test('a flow of the same addresses on another network is another flow', () => {
    const answer = ethernet(
      { src: mac(9), dst: mac(4) },
      ipv4({ src: '10.0.0.9', dst: '10.0.0.2' }, udp(53, 5000)),
    );
    assert.ok(!arrives('up2', answer, 'shy2'));
    const question = ethernet(
      { src: mac(4), dst: mac(9) },
      ipv4({ src: '10.0.0.2', dst: '10.0.0.9' }, udp(5000, 53)),
    );
    assert.ok(arrives('shy2', question, 'up2'));
    assert.ok(arrives('up2', answer, 'shy2'));
  });

  test('reject answers with a reset', () => {
    const { arrivedAt, strays }: Delivery = rig.deliver('up1', frame(9, 1, tcp(40000, 113, SYN)));
    assert.ok(!arrivedAt.includes('web1'));
    const reset = strays.find(({ port, frame }) => port === 'up1' && frame.readUInt16BE(34) === 113);
    assert.ok(reset, 'no answer');
    assert.equal(reset.frame.readUInt8(47) & RST, RST);
    assert.equal(reset.frame.toString('hex', 26, 30), '0a000001');
  });
});

suite(
  'a network with address translation',
  requires('root', 'ip', 'bridge', 'veth', 'nat', 'conntrack'),
  () => {
    const guest = '02:00:00:00:00:31';
    const gateway = '02:00:00:00:03:00';
    const outside = '02:00:00:00:00:99';
    let rig: Rig;
    before(async () => {
      rig = await applied(
        {
          virbr0: { ports: ['g0'], mac: gateway },
          virbr1: { ports: ['h0'] },
          ext0: { ports: ['x0'], mac: '02:00:00:00:04:00' },
        },
        {},
        {
          networks: {
            virbr0: { mode: 'nat', ipv4: '192.168.122.0/24', ipv6: 'fd00:122::/64' },
            virbr1: { mode: 'nat', ipv4: '192.168.123.0/24' },
          },
        },
        (rig) => {
          const lines = [
            'for name in virbr0 ext0; do echo 0 > /proc/sys/net/ipv6/conf/$name/disable_ipv6; done',
            'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
            'ip address add 192.168.122.1/24 dev virbr0; ip address add 192.168.123.1/24 dev virbr1',
            'ip -6 address add fd00:122::1/64 dev virbr0 nodad; ip -6 address add 2001:db8:9::1/64 dev ext0 nodad',
            'ip address add 192.0.2.1/24 dev ext0',
            `ip neigh replace 192.0.2.9 lladdr ${outside} dev ext0; ip -6 neigh replace 2001:db8:9::9 lladdr ${outside} dev ext0`,
            `ip neigh replace 192.168.122.31 lladdr ${guest} dev virbr0; ip -6 neigh replace fd00:122::31 lladdr ${guest} dev virbr0`,
            'ip neigh replace 192.168.123.31 lladdr 02:00:00:00:00:32 dev virbr1',
          ];
          rig.run('sh', ['-ec', lines.join('\n')]);
        },
      );
    });
    after(() => rig?.close());

    /** UDP datagrams that came out of a port, by address family: where from, and the ports. */
    function seen(port: string, { strays }: Delivery): { src: string; sport: number; dport: number }[] {
      return strays.flatMap(({ port: at, frame }) => {
        const type = frame.readUInt16BE(12);
        const [protocol, transport, src] =
          type === 0x0800
            ? [frame[23], 34, frame.toString('hex', 26, 30)]
            : type === 0x86dd
              ? [frame[20], 54, frame.toString('hex', 22, 38)]
              : [0, 0, ''];
        if (at !== port || protocol !== 17) return [];
        return [{ src, sport: frame.readUInt16BE(transport), dport: frame.readUInt16BE(transport + 2) }];
      });
    }

    const toGateway = { src: guest, dst: gateway };

    test('leads out by IPv4 under the host’s address, from no port below 1024, and answers come back', () => {
      const layer = udp(500, 7000, zeros(32));
      const [out] = seen(
        'x0',
        rig.deliver('g0', ethernet(toGateway, ipv4({ src: '192.168.122.31', dst: '192.0.2.9' }, layer))),
      );
      assert.ok(out, 'nothing came out');
      assert.deepEqual([out.src, out.dport], ['c0000201', 7000]);
      assert.ok(out.sport >= 1024, `${out.sport}`);
      const answer = ipv4({ src: '192.0.2.9', dst: '192.0.2.1' }, udp(7000, out.sport, zeros(32)));
      const [back] = seen(
        'g0',
        rig.deliver('x0', ethernet({ src: outside, dst: '02:00:00:00:04:00' }, answer)),
      );
      assert.deepEqual(back, { src: 'c0000209', sport: 7000, dport: 500 });
    });

    test('leads out by IPv6 as well', () => {
      const layer = udp(500, 7000, zeros(32));
      const [out] = seen(
        'x0',
        rig.deliver(
          'g0',
          ethernet(toGateway, ipv6({ src: 'fd00:122::31', dst: '2001:db8:9::9', hopLimit: 64 }, layer)),
        ),
      );
      assert.ok(out, 'nothing came out');
      assert.deepEqual([out.src, out.dport], ['20010db8000900000000000000000001', 7000]);
      assert.ok(out.sport >= 1024, `${out.sport}`);
    });

    test('lets nobody in who was not asked, and nothing from one network to another', () => {
      const toHost = { src: outside, dst: '02:00:00:00:04:00' };
      const uncalled = ipv4({ src: '192.0.2.9', dst: '192.168.122.31' }, udp(7000, 9, zeros(32)));
      assert.deepEqual(seen('g0', rig.deliver('x0', ethernet(toHost, uncalled))), []);
      const across = ipv4({ src: '192.168.122.31', dst: '192.168.123.31' }, udp(500, 9, zeros(32)));
      assert.deepEqual(seen('h0', rig.deliver('g0', ethernet(toGateway, across))), []);
      const spoofed = ipv4({ src: '192.168.199.1', dst: '192.0.2.9' }, udp(500, 9, zeros(32)));
      assert.deepEqual(seen('x0', rig.deliver('g0', ethernet(toGateway, spoofed))), []);
    });
  },
);
