import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { apply, factsOf, parseHost, parsePolicy } from '../../src/uncloud/index.ts';
import { ethernet, ipv4, ipv6, type Layer, tcp, udp, zeros } from '../support/frames/packet/index.ts';
import { Rig } from '../support/frames/rig.ts';
import { requires } from '../support/requirements.ts';

// The host routes between interfaces of its own; each is a bridge with one port, behind which the test is.

const place = (bridge: string, n: number, ip: string, ip6: string) => ({
  bridge,
  port: `${bridge}-0`,
  mac: `02:00:00:00:0${n}:02`,
  /** The host's own MAC there. */
  router: `02:00:00:00:0${n}:01`,
  ip: `${ip}.2`,
  host: `${ip}.1`,
  ip6: `${ip6}::2`,
  host6: `${ip6}::1`,
});
type Place = ReturnType<typeof place>;

const nat = place('nat', 1, '192.168.122', 'fd00:122');
const routed = place('routed', 2, '203.0.113', '2001:db8:2');
const isolated = place('isolated', 3, '192.168.123', 'fd00:123');
const open = place('open', 4, '192.168.124', 'fd00:124');
const world = place('world', 5, '198.51.100', '2001:db8:5');
const places = [nat, routed, isolated, open, world];

const policy = {
  networks: {
    nat: { mode: 'nat', ipv4: '192.168.122.0/24', ipv6: 'fd00:122::/64' },
    routed: { mode: 'routed', ipv4: ['203.0.113.0/24'], ipv6: '2001:db8:2::/64' },
    isolated: { mode: 'isolated', ipv4: '192.168.123.0/24' },
    open: { mode: 'open' },
  },
};

/** One datagram more than Ethernet's least. */
const talk = (sport: number, dport: number): Layer => udp(sport, dport, zeros(40));

suite('virtual networks', requires('root', 'ip', 'bridge', 'veth', 'nat'), () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.build(
      Object.fromEntries(places.map(({ bridge, port, router }) => [bridge, { ports: [port], mac: router }])),
    );
    const commands = places.flatMap(({ bridge, host, host6, ip, ip6, mac }) => [
      `sysctl -qw net.ipv6.conf.${bridge}.disable_ipv6=0`,
      `ip address add ${host}/24 dev ${bridge}`,
      `ip -6 address add ${host6}/64 dev ${bridge} nodad`,
      `ip neighbour add ${ip} lladdr ${mac} dev ${bridge}`,
      `ip -6 neighbour add ${ip6} lladdr ${mac} dev ${bridge}`,
      `ip neighbour add ${ip.replace(/2$/, '3')} lladdr ${mac} dev ${bridge}`,
    ]);
    const forwarding = ['sysctl -qw net.ipv4.ip_forward=1', 'sysctl -qw net.ipv6.conf.all.forwarding=1'];
    rig.run('sh', ['-ec', [...forwarding, ...commands].join('\n')]);
    await put('accept');
  });
  after(() => rig?.close());

  async function put(forward: string, networks: object = policy.networks): Promise<void> {
    using nft = connect({ netns: rig.netns });
    const host = parseHost({ forward });
    const parsed = parsePolicy({ networks }, { host });
    assert.deepEqual(parsed.problems, []);
    const facts = await factsOf(nft);
    await apply(nft, { host, policy: parsed.policy, facts });
    assert.equal((await apply(nft, { host, policy: parsed.policy, facts })).changed, false);
  }

  /** What comes out at one place of what goes in at another: the IP packet, if it is not ICMP. */
  function passed(from: Place, to: Place, layer: Layer, change: object = {}): Buffer | undefined {
    const packet = ipv4({ src: from.ip, dst: to.ip, ...change }, layer);
    return arrived(from, to, ethernet({ src: from.mac, dst: from.router }, packet), layer.protocol, 9);
  }
  function passed6(from: Place, to: Place, layer: Layer): Buffer | undefined {
    const packet = ipv6({ src: from.ip6, dst: to.ip6 }, layer);
    return arrived(from, to, ethernet({ src: from.mac, dst: from.router }, packet), layer.protocol, 6);
  }
  function arrived(from: Place, to: Place, frame: Buffer, protocol: number, at: number): Buffer | undefined {
    const { strays } = rig.deliver(from.port, frame);
    const found = strays.find(({ port, frame }) => port === to.port && frame[14 + at] === protocol);
    return found?.frame.subarray(14);
  }
  const sport = (packet: Buffer | undefined, header = 20) => packet?.readUInt16BE(header);
  const source = (packet: Buffer | undefined) => packet && [...packet.subarray(12, 16)].join('.');

  test('nat: out with the address of the host, from ports of 1024 and more, and back', () => {
    for (const port of [53, 123, 1023, 5000]) {
      const packet = passed(nat, world, talk(port, 7));
      assert.equal(source(packet), world.host);
      assert.ok((sport(packet) ?? 0) >= 1024, `${port} became ${sport(packet)}`);
      const answer = talk(7, sport(packet) as number);
      const back = passed(world, nat, answer, { dst: world.host });
      assert.deepEqual([...(back?.subarray(16, 20) ?? [])].join('.'), nat.ip);
      assert.equal(back?.readUInt16BE(22), port);
    }
    const stream = passed(nat, world, tcp(100, 80));
    assert.equal(source(stream), world.host);
    assert.ok((sport(stream) ?? 0) >= 1024);
  });

  test('nat: IPv6 as well', () => {
    const packet = passed6(nat, world, talk(53, 7));
    assert.equal(packet?.toString('hex', 8, 24), '20010db8000500000000000000000001');
    assert.ok((sport(packet, 40) ?? 0) >= 1024);
  });

  test('nat: nothing comes in, nothing foreign goes out', () => {
    assert.equal(passed(world, nat, talk(1, 2)), undefined);
    assert.equal(passed6(world, nat, talk(1, 2)), undefined);
    assert.equal(passed(nat, world, talk(1, 2), { src: '10.9.9.9' }), undefined);
  });

  test('routed: in and out with its own addresses, unchanged', () => {
    assert.equal(source(passed(routed, world, talk(53, 2))), routed.ip);
    assert.equal(sport(passed(routed, world, talk(53, 2))), 53);
    assert.equal(source(passed(world, routed, talk(1, 2))), world.ip);
    assert.ok(passed6(world, routed, talk(1, 2)));
    assert.equal(passed(routed, world, talk(1, 2), { src: '10.9.9.9' }), undefined);
  });

  test('isolated: neither in nor out', () => {
    for (const other of [world, nat, routed, open]) {
      assert.equal(passed(isolated, other, talk(1, 2)), undefined, `to ${other.bridge}`);
      assert.equal(passed(other, isolated, talk(1, 2)), undefined, `from ${other.bridge}`);
    }
    assert.equal(passed6(isolated, world, talk(1, 2)), undefined);
  });

  test('open: whatever', () => {
    assert.ok(passed(open, world, talk(1, 2), { src: '192.0.2.1' }));
    assert.ok(passed(world, open, talk(1, 2)));
  });

  test('no way from one network to another that is not meant for it', () => {
    assert.equal(passed(routed, nat, talk(1, 2)), undefined);
    assert.equal(passed(open, nat, talk(1, 2)), undefined);
    assert.ok(passed(nat, routed, talk(1, 2)));
  });

  test('guests have the services of their host, and nothing else of it', () => {
    const input = (layer: Layer) =>
      rig
        .deliver(
          nat.port,
          ethernet({ src: nat.mac, dst: nat.router }, ipv4({ src: nat.ip, dst: nat.host }, layer)),
        )
        .strays.map(({ frame }) => frame[14 + 20]);
    // TCP to a closed port: the host's own reset where rules let it through, an ICMP error where they do not.
    const isReset = (dport: number) => input(tcp(4000, dport)).length > 0 && input(tcp(4000, dport))[0] !== 3;
    assert.ok(isReset(53));
    assert.ok(!isReset(22));
  });

  test('forward deny: what belongs to no network is dropped, networks stay as they are', async () => {
    await put('deny');
    const foreign = { ...world, bridge: 'other' };
    assert.equal(passed(foreign, world, talk(1, 2), { dst: '192.0.2.9' }), undefined);
    assert.ok(passed(nat, world, talk(53, 2)));
    assert.ok(passed(world, routed, talk(1, 2)));
    assert.equal(passed(world, nat, talk(1, 2)), undefined);
    await put('deny', {});
    assert.equal(passed(nat, world, talk(53, 2)), undefined);
    assert.equal(passed(world, routed, talk(1, 2)), undefined);
  });
});
