import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { connect } from '../../../src/index.ts';
import { apply } from '../../../src/uncloud/apply.ts';
import { factsOf, parseHost, parsePolicy } from '../../../src/uncloud/index.ts';
import {
  BROADCAST,
  udp as datagram,
  ethernet,
  icmp,
  ipv4,
  type Layer,
  tcp,
  zeros,
} from '../../support/frames/packet/index.ts';
import { Rig } from '../../support/frames/rig.ts';
import { requires } from '../../support/requirements.ts';

// Security groups on a kernel that knows connections and can reject on bridges.

const machine = (port: string, n: number) => ({ port, mac: `02:00:00:00:00:${n}`, ip: `10.0.0.${n}` });
type Machine = ReturnType<typeof machine>;

const server = machine('server0', 11);
const client = machine('client0', 12);
const free = machine('free0', 13);
const outside = machine('up0', 19);
/** The same addresses once more, on a network of another customer. */
const twin = { ...client, port: 'twin0', mac: '02:00:00:00:00:22' };
const elsewhere = { ...outside, port: 'up1', mac: '02:00:00:00:00:29' };

const nic = ({ port, mac, ip }: Machine, bridge: string, groups: string[]) => ({
  nics: [{ ifname: port, bridge, mac, ipv4: [`${ip}/32`], groups }],
});

const GROUPS = {
  server: {
    rules: [
      { direction: 'in', action: 'accept', protocol: 'udp', ports: [9] },
      { direction: 'in', action: 'reject', protocol: 'tcp', ports: [113] },
      { direction: 'in', action: 'reject', protocol: 'udp', ports: [113] },
    ],
    default: { out: 'drop' },
  },
  client: {
    rules: [
      { direction: 'out', action: 'accept', protocol: 'udp', ports: [9, 53] },
      { direction: 'out', action: 'reject', protocol: 'tcp' },
    ],
    default: { in: 'drop' },
  },
};

const policy = (groups: object = GROUPS) => ({
  groups,
  vms: {
    server: nic(server, 'br0', ['server']),
    client: nic(client, 'br0', ['client']),
    free: nic(free, 'br0', []),
    twin: nic(twin, 'br1', ['client']),
  },
});

const host = parseHost({
  bridges: {
    br0: { uplinks: ['up0'], mac: '02:00:00:00:01:00' },
    br1: { uplinks: ['up1'], mac: '02:00:00:00:02:00', shared: false },
  },
  sets: 'named',
});

/** Large enough for Ethernet: conntrack takes padding off, and a frame would not be told again. */
const udp = (sport: number, dport: number) => datagram(sport, dport, zeros(64));

const frame = (from: Machine, to: Machine, layer: Layer) =>
  ethernet({ src: from.mac, dst: to.mac }, ipv4({ src: from.ip, dst: to.ip }, layer));

const needed = requires('root', 'ip', 'bridge', 'veth', 'ibrname', 'bridge-conntrack', 'bridge-reject');

suite('groups that know connections', needed, () => {
  let rig: Rig;
  const put = async (groups?: object) => {
    using nft = connect({ netns: rig.netns });
    const parsed = parsePolicy(policy(groups), { host });
    assert.deepEqual(parsed.problems, []);
    const facts = await factsOf(nft);
    assert.deepEqual([facts.ibrname, facts.conntrack, facts.reject], [true, true, true]);
    const { rendering } = await apply(nft, { host, policy: parsed.policy, facts });
    assert.deepEqual(rendering.unenforced, []);
    const again = await apply(nft, { host, policy: parsed.policy, facts });
    assert.deepEqual(again.transaction.nftables, []);
  };
  const passes = (from: Machine, to: Machine, layer: Layer) =>
    rig.deliver(from.port, frame(from, to, layer)).arrivedAt.includes(to.port);
  const conversation = (from: Machine, to: Machine, sport: number, dport: number) =>
    [passes(from, to, udp(sport, dport)), passes(to, from, udp(dport, sport))] as const;

  before(async () => {
    rig = await Rig.build({
      br0: { ports: ['server0', 'client0', 'free0', 'up0'], mac: '02:00:00:00:01:00' },
      br1: { ports: ['twin0', 'up1'], mac: '02:00:00:00:02:00' },
    });
    rig.forget();
    await put();
  });
  after(() => rig?.close());

  test('answers pass, what answers nothing does not', () => {
    assert.equal(passes(outside, client, udp(53, 40000)), false);
    assert.deepEqual(conversation(client, outside, 40000, 53), [true, true]);
    assert.equal(passes(outside, client, udp(53, 40001)), false);
    assert.deepEqual(conversation(outside, server, 5000, 9), [true, true]);
    assert.equal(passes(server, outside, udp(9, 5001)), false);
  });

  test('a connection between two guests of one bridge passes both', () => {
    assert.deepEqual(conversation(client, server, 41000, 9), [true, true]);
    assert.deepEqual(conversation(client, server, 41000, 53), [false, false]);
    assert.deepEqual(conversation(free, server, 42000, 9), [true, true]);
    assert.deepEqual(conversation(client, free, 43000, 53), [true, true]);
    assert.deepEqual(conversation(free, client, 44000, 53), [false, false]);
  });

  test('zones keep the same addresses of two customers apart', () => {
    assert.deepEqual(conversation(client, outside, 45000, 53), [true, true]);
    assert.equal(passes(elsewhere, twin, udp(53, 45000)), false);
    assert.deepEqual(conversation(twin, elsewhere, 46000, 53), [true, true]);
    assert.equal(passes(outside, client, udp(53, 46000)), false);
  });

  test('ARP, DHCP and errors about own packets pass', () => {
    const offer = ethernet(
      { src: outside.mac, dst: client.mac },
      ipv4({ src: outside.ip, dst: client.ip }, udp(67, 68)),
    );
    assert.ok(rig.deliver('up0', offer).arrivedAt.includes('client0'));
    const discover = ethernet(
      { src: client.mac, dst: BROADCAST },
      ipv4({ src: '0.0.0.0', dst: '255.255.255.255' }, udp(68, 67)),
    );
    assert.ok(rig.deliver('client0', discover).arrivedAt.includes('up0'));
    const sent = ipv4({ src: client.ip, dst: outside.ip }, udp(47000, 53));
    assert.ok(passes(client, outside, udp(47000, 53)));
    const about = icmp(3, sent.bytes.subarray(0, 28));
    assert.equal(passes(outside, client, icmp(3, zeros(28))), false);
    assert.equal(passes(outside, client, about), true);
  });

  test('rejects say so to either side', () => {
    const { arrivedAt, strays } = rig.deliver('client0', frame(client, outside, tcp(40000, 80)));
    assert.deepEqual(arrivedAt, []);
    assert.deepEqual(
      strays.map(({ port }) => port),
      ['client0'],
    );
    const reset = strays[0]?.frame as Buffer;
    assert.equal(reset[14 + 20 + 13], 0x14, 'not RST and ACK');
    const toServer = rig.deliver('up0', frame(outside, server, tcp(40000, 113)));
    assert.deepEqual([toServer.arrivedAt, toServer.strays.map(({ port }) => port)], [[], ['up0']]);
    const unreachable = rig.deliver('up0', frame(outside, server, udp(40000, 113)));
    assert.deepEqual([unreachable.arrivedAt, unreachable.strays.map(({ port }) => port)], [[], ['up0']]);
    assert.equal(unreachable.strays[0]?.frame[14 + 9], 1, 'not ICMP');
  });

  test('frames between ports without groups are not tracked', async () => {
    const flows = () => rig.run('sh', ['-c', 'cat /proc/net/nf_conntrack 2>/dev/null || true']);
    assert.deepEqual(conversation(free, outside, 48123, 48124), [true, true]);
    assert.doesNotMatch(flows(), /48123/);
    assert.deepEqual(conversation(client, outside, 49123, 53), [true, true]);
    if (flows() !== '') assert.match(flows(), /sport=49123 .*zone=\d+/);
  });

  test('flows end with the rule that let them through', async () => {
    assert.deepEqual(conversation(client, outside, 50000, 53), [true, true]);
    assert.deepEqual(conversation(outside, server, 50001, 9), [true, true]);
    const without = (port: number) => (rule: { ports?: number[] }) => !rule.ports?.includes(port);
    await put({
      server: {
        ...GROUPS.server,
        rules: GROUPS.server.rules.filter(without(9)),
        default: { in: 'drop', out: 'drop' },
      },
      client: { ...GROUPS.client, rules: [{ ...GROUPS.client.rules[0], ports: [9] }] },
    });
    assert.equal(passes(outside, client, udp(53, 50000)), false);
    assert.equal(passes(client, outside, udp(50000, 53)), false);
    assert.equal(passes(outside, server, udp(50001, 9)), false);
    assert.equal(passes(server, outside, udp(9, 50001)), false);
    await put();
    assert.deepEqual(conversation(client, outside, 50000, 53), [true, true]);
  });
});
