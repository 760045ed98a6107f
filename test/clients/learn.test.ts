import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, connect } from '../../src/index.ts';
import {
  apply,
  completed,
  Firewall,
  factsOf,
  type LearnEvent,
  Learner,
  parseHost,
} from '../../src/uncloud/index.ts';
import { type Computer, Machines, ROUTER_IPV4, ROUTER_IPV6 } from '../support/frames/machines.ts';
import { alice, bob, host as description, router } from '../support/frames/network.ts';
import { requires } from '../support/requirements.ts';
import { until } from '../support/wait.ts';
import { dhcp, dhcp6, iaAddress, iaNa, ipv4, ipv6, udp } from '../uncloud/learn/messages.ts';
import { isThorough, modes } from './modes.ts';

const needs = requires('root', 'ip', 'bridge', 'veth', 'clients');

const LEASE_SCRIPT = `#!/bin/sh
# udhcpc passes the event as an argument, dhclient in $reason.
case "$1$reason" in
  bound|renew) ip address replace "$ip/24" dev "$interface" ;;
  PREINIT6) sleep 0.5 ;;
  BOUND6|RENEW6|REBIND6) ip -6 address replace "$new_ip6_address/64" dev "$interface" nodad ;;
  RELEASE6) ip -6 address flush dev "$interface" scope global ;;
esac
exit 0
`;
/** Routers' addresses are not for whoever comes first. */
const learning = { reserved: [ROUTER_IPV4, ROUTER_IPV6] };
const LEASED = '10.0.0.77';
const [NETWORK6, LEASED6, OTHER6] = ['', '77', '78'].map((end) => `2a0a:e5c1:111:888::${end}`) as [
  string,
  string,
  string,
];
const ALL_SERVERS = { mac: '33:33:00:01:00:02', ipv6: 'ff02::1:2' };
const SEND = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
for frame in sys.argv[1:]: s.send(bytes.fromhex(frame))`;

const macBytes = (mac: string) => Buffer.from(mac.replaceAll(':', ''), 'hex');

function send(computer: Computer, to: string, from: string, ...packets: Uint8Array[]): void {
  const frames = packets.map((packet) => {
    const type = (packet[0] as number) >> 4 === 4 ? [0x08, 0x00] : [0x86, 0xdd];
    return Buffer.concat([macBytes(to), macBytes(from), Buffer.from(type), packet]).toString('hex');
  });
  computer.run('python3', '-c', SEND, ...frames);
}

const pings = (computer: Computer, from: string) =>
  computer.succeeds(
    ...(['ping', '-c', '1', '-W', '1', '-I', from] as const),
    from.includes(':') ? ROUTER_IPV6 : ROUTER_IPV4,
  );

for (const mode of modes.filter((one) => isThorough(one) || one.sets === 'named')) {
  suite(`learning from real clients and servers: ${mode.name}`, needs, () => {
    let machines: Machines;
    let nft: Connection;
    let firewall: Firewall;
    let learner: Learner;
    let ending: AbortController;
    let running: Promise<unknown>;
    const events: LearnEvent[] = [];
    const nic = ({ port, mac }: typeof alice, more: object) => ({
      ifname: port,
      bridge: 'br100',
      mac,
      ...more,
    });

    const learnt = (address: string) =>
      until(`${address} is learnt`, () => told('learnt').includes(address)).catch((error) =>
        assert.fail(`${error}: ${JSON.stringify(events)}`),
      );

    /** Addresses that were told of in this way. */
    const told = (kind: LearnEvent['kind']) =>
      events.flatMap((event) => (event.kind === kind && 'address' in event ? [event.address] : []));

    async function enforce(): Promise<boolean> {
      const { changed } = await apply(nft, firewall.rendering());
      await learner.take(firewall);
      return changed;
    }

    function listen(): void {
      ending = new AbortController();
      learner = new Learner({ nft, host: parseHost({ learning }), tell: (event) => events.push(event) });
      running = learner.run(ending.signal).catch(() => {});
    }

    async function deafen(): Promise<void> {
      ending.abort();
      await running;
    }

    async function demand(vms: object): Promise<void> {
      const facts = await factsOf(nft);
      const bridges = { br100: { ...description.bridges.br100, backend: mode.backend } };
      const host = completed(parseHost({ bridges, sets: mode.sets, learning }), facts);
      firewall = new Firewall({ host, facts, policy: { vms } });
      assert.deepEqual(firewall.problems, []);
      await enforce();
    }

    before(async () => {
      machines = await Machines.build();
      nft = connect({ netns: machines.netns });
      listen();
      await demand({
        alice: { nics: [nic(alice, { learn: 'dhcp' })] },
        bob: { nics: [nic(bob, { learn: 'any' })] },
        other: { nics: [nic(router, { ifname: 'v9', mac: '02:00:00:00:00:09', ipv4: ['10.0.0.9/32'] })] },
      });
      writeFileSync(join(machines.directory, 'lease'), LEASE_SCRIPT, { mode: 0o755 });
      machines.router.start(
        'dnsmasq',
        ...['--keep-in-foreground', '--no-resolv', '--no-hosts', '--port=0', '--user=root'],
        ...['--log-facility=-', '--no-ping', '--quiet-dhcp', '--interface=eth0', '--dhcp-authoritative'],
        `--pid-file=${join(machines.directory, 'pid')}`,
        `--dhcp-leasefile=${join(machines.directory, 'leases')}`,
        '--dhcp-range=10.0.0.0,static,255.255.255.0,2m',
        `--dhcp-range=${NETWORK6},static,64,2m`,
        `--dhcp-host=${alice.mac},${LEASED},[${LEASED6}]`,
      );
      await machines.up();
    });
    after(async () => {
      await deafen();
      nft?.close();
      await machines?.[Symbol.asyncDispose]();
    });

    const client = (...more: string[]) =>
      machines.alice.run(
        ...(['udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-t', '8', '-T', '1'] as const),
        ...more,
        ...['-s', join(machines.directory, 'lease')],
      );

    /** Starts dhclient, which knows nothing from before but who it is. */
    function client6(name: string, ...more: string[]): ReturnType<Computer['start']> {
      const file = (kind: string) => join(machines.directory, `dhclient6-${name}.${kind}`);
      return machines.alice.start(
        ...(['dhclient', '-6', '-d', '-D', 'LL', '-cf', '/dev/null', '-lf', file('leases')] as const),
        ...['-pf', file('pid'), '-sf', join(machines.directory, 'lease'), ...more, 'eth0'],
      );
    }

    const inKernel = async (name: string): Promise<string> => {
      const { nftables } = await nft.list({ family: mode.backend, table: 'uncloud', set: name });
      return JSON.stringify(nftables.flatMap((one) => ('set' in one ? (one.set.elem ?? []) : [])));
    };

    test('no address passes before it is known, and forged answers teach none', async () => {
      machines.alice.run('ip', 'address', 'add', `${LEASED}/24`, 'dev', 'eth0');
      assert.equal(pings(machines.alice, LEASED), false);
      const ask = dhcp({ type: 'request', xid: 7, mac: alice.mac });
      const forged = dhcp({ op: 2, type: 'ack', xid: 7, mac: alice.mac, given: LEASED, lease: 600 });
      const [from, to] = ['0.0.0.0', '255.255.255.255'];
      const broadcast = 'ff:ff:ff:ff:ff:ff';
      send(machines.alice, broadcast, alice.mac, ipv4(from, to, udp(68, 67, ask)));
      send(machines.alice, broadcast, alice.mac, ipv4(from, to, udp(67, 68, forged)));
      send(machines.alice, alice.mac, alice.mac, ipv4(ROUTER_IPV4, to, udp(67, 68, forged)));
      // An accomplice who answers.
      send(machines.bob, alice.mac, bob.mac, ipv4(ROUTER_IPV4, LEASED, udp(67, 68, forged)));
      send(machines.bob, broadcast, bob.mac, ipv4(ROUTER_IPV4, to, udp(67, 68, forged)));
      await sleep(300);
      assert.ok(!told('learnt').includes(LEASED));
      assert.equal(pings(machines.alice, LEASED), false);
      machines.alice.run('ip', 'address', 'flush', 'dev', 'eth0', 'scope', 'global');
    });

    test('udhcpc and dnsmasq: what is leased is learnt, and passes', async () => {
      client();
      await learnt(LEASED);
      assert.ok(pings(machines.alice, LEASED));
      assert.match(await inKernel('learned_ip'), /"timeout":120/);
      machines.alice.run('ip', 'address', 'add', '10.0.0.78/24', 'dev', 'eth0');
      assert.equal(pings(machines.alice, '10.0.0.78'), false, 'no other one');
    });

    test('a renewal gives it its time again', async () => {
      client('-r', LEASED);
      await until('renewed', () => told('renewed').includes(LEASED));
    });

    test('another learner finds it in the kernel; apply leaves it there', async () => {
      await deafen();
      listen();
      assert.equal(await enforce(), false);
      assert.deepEqual(
        learner.lessons.map(({ address }) => address.text).filter((text) => text === LEASED),
        [LEASED],
      );
      assert.ok(pings(machines.alice, LEASED));
      await nft.commit([{ flush: { ruleset: null } }]);
      await enforce();
      assert.ok(pings(machines.alice, LEASED), 'it is put back with the rules');
    });

    test('DHCPv6: no address passes before it is known, and forged answers teach none', async () => {
      const own = (address: string) =>
        machines.alice.run('ip', 'address', 'add', `${address}/64`, 'dev', 'eth0', 'nodad');
      own(LEASED6);
      assert.equal(pings(machines.alice, LEASED6), false);
      const ask = dhcp6('request', 7);
      const forged = (address: string) => dhcp6('reply', 7, iaNa(iaAddress(address, 600)));
      const { linkLocal } = alice;
      send(machines.alice, ALL_SERVERS.mac, alice.mac, ipv6(linkLocal, ALL_SERVERS.ipv6, udp(546, 547, ask)));
      const refused = () => learner.figures?.refused ?? 0;
      const before = refused();
      const self = ipv6(linkLocal, linkLocal, udp(547, 546, forged(LEASED6)));
      send(machines.alice, alice.mac, alice.mac, self);
      // An accomplice who answers, under an own address and the router's.
      for (const from of [bob.linkLocal, router.linkLocal])
        send(machines.bob, alice.mac, bob.mac, ipv6(from, linkLocal, udp(547, 546, forged(LEASED6))));
      // A server whose answer is for another question, and one with what is not to be learnt.
      const answer = (data: Uint8Array) =>
        send(machines.router, alice.mac, router.mac, ipv6(router.linkLocal, linkLocal, udp(547, 546, data)));
      answer(dhcp6('reply', 8, iaNa(iaAddress(LEASED6, 600))));
      answer(forged(ROUTER_IPV6));
      // Not all that is refused is told of at once, but counted.
      await until('nobody becomes the router', () => refused() >= before + 2);
      assert.deepEqual(
        told('learnt').filter((address) => address.includes(':')),
        [],
      );
      assert.equal(pings(machines.alice, LEASED6), false);
      machines.alice.run('ip', '-6', 'address', 'flush', 'dev', 'eth0', 'scope', 'global');
    });

    test('dhclient and dnsmasq, DHCPv6: what is leased is learnt, and passes', async () => {
      const client = client6('first');
      await learnt(LEASED6).catch((error) => assert.fail(`${error}: ${client.said}`));
      await until('it has the address', () => pings(machines.alice, LEASED6));
      await client.end();
      assert.match(await inKernel('learned_ip6'), new RegExp(`${LEASED6}.*"timeout":120`));
      machines.alice.run('ip', 'address', 'add', `${OTHER6}/64`, 'dev', 'eth0', 'nodad');
      assert.equal(pings(machines.alice, OTHER6), false, 'no other one');
      machines.alice.run('ip', 'address', 'del', `${OTHER6}/64`, 'dev', 'eth0');
    });

    test('DHCPv6: a lease that is got again has its time again; what is released goes', async () => {
      events.length = 0;
      const client = client6('second');
      await until(
        () => `renewed: ${client.said}`,
        () => told('renewed').includes(LEASED6),
      );
      await until(
        () => `it is bound: ${client.said}`,
        () => pings(machines.alice, LEASED6),
      );
      await client.end();
      const release = client6('second', '-r');
      await until(
        () => `forgotten: ${release.said}`,
        () => told('forgotten').includes(LEASED6),
      );
      await release.end(5);
      machines.alice.run('ip', 'address', 'replace', `${LEASED6}/64`, 'dev', 'eth0', 'nodad');
      assert.equal(pings(machines.alice, LEASED6), false);
      assert.equal((await inKernel('learned_ip6')).includes(LEASED6), false);
      machines.alice.run('ip', '-6', 'address', 'flush', 'dev', 'eth0', 'scope', 'global');
    });

    test('dhcpcd, DHCPv6: what it is given passes, duplicate address detection first', async () => {
      events.length = 0;
      const settings = join(machines.directory, 'dhcpcd.conf');
      writeFileSync(settings, 'duid ll\nipv6only\nnoipv6rs\ninterface eth0\nia_na 1\n');
      // Its files are wherever it was built to have them: somewhere of its own is mounted over them.
      const inside = `mount -t tmpfs t /var/lib/dhcpcd; mount -t tmpfs t /run
        exec dhcpcd -6 -1 -B -d -f '${settings}' -C resolv.conf eth0`;
      const client = machines.alice.start('unshare', '--mount', 'sh', '-c', inside);
      await until(
        () => `it is bound: ${client.said} ${JSON.stringify(events)}`,
        () => /DHCPv6 DAD completed/.test(client.said),
      );
      await client.end(5);
      assert.deepEqual(told('learnt'), [LEASED6]);
      // It gives what it was given as an address without a network.
      machines.alice.run('ip', 'route', 'replace', `${NETWORK6}/64`, 'dev', 'eth0');
      assert.ok(pings(machines.alice, LEASED6));
      machines.alice.run('ip', '-6', 'address', 'flush', 'dev', 'eth0', 'scope', 'global');
    });

    test('any: the first packet teaches one address, and nobody else’s', async () => {
      const own = (address: string) =>
        machines.bob.run('ip', 'address', 'add', `${address}/24`, 'dev', 'eth0');
      own('10.0.0.9');
      assert.equal(pings(machines.bob, '10.0.0.9'), false, 'a record has it');
      machines.bob.run('ip', 'address', 'flush', 'dev', 'eth0', 'scope', 'global');
      own('10.0.0.80');
      pings(machines.bob, '10.0.0.80');
      await learnt('10.0.0.80');
      assert.ok(pings(machines.bob, '10.0.0.80'));
      for (let n = 81; n < 90; n++) {
        own(`10.0.0.${n}`);
        send(
          machines.bob,
          router.mac,
          bob.mac,
          ipv4(`10.0.0.${n}`, ROUTER_IPV4, udp(9, 9, Buffer.from('x'))),
        );
      }
      await sleep(300);
      assert.deepEqual(
        told('learnt').filter((text) => text.startsWith('10.0.0.8')),
        ['10.0.0.80'],
      );
      assert.equal(pings(machines.bob, '10.0.0.85'), false);
      assert.ok(told('refused').includes('10.0.0.9'));
    });

    test('a flood is not heard, and keeps nobody else from learning', async () => {
      const ask = ipv4(
        '0.0.0.0',
        '255.255.255.255',
        udp(68, 67, dhcp({ type: 'request', xid: 9, mac: bob.mac })),
      );
      send(machines.bob, 'ff:ff:ff:ff:ff:ff', bob.mac, ...Array.from({ length: 200 }, () => ask));
      events.length = 0;
      client('-r', LEASED);
      await until('renewed', () => told('renewed').includes(LEASED));
      assert.deepEqual(
        events.filter(({ kind }) => kind === 'overrun' || kind === 'failed'),
        [],
      );
    });

    test('what is released goes at once; its time over, it goes by itself', async () => {
      const release = dhcp({ type: 'release', xid: 3, mac: alice.mac, has: LEASED });
      send(machines.alice, router.mac, alice.mac, ipv4(LEASED, ROUTER_IPV4, udp(68, 67, release)));
      await until('forgotten', () => told('forgotten').includes(LEASED));
      assert.equal(pings(machines.alice, LEASED), false);
      // A server beside, whose leases are short.
      const ask = dhcp({ type: 'request', xid: 7, mac: alice.mac });
      const answer = dhcp({ op: 2, type: 'ack', xid: 7, mac: alice.mac, given: '10.0.0.90', lease: 2 });
      machines.alice.run('ip', 'address', 'add', '10.0.0.90/24', 'dev', 'eth0');
      const to = '255.255.255.255';
      send(machines.alice, 'ff:ff:ff:ff:ff:ff', alice.mac, ipv4('0.0.0.0', to, udp(68, 67, ask)));
      send(machines.router, alice.mac, router.mac, ipv4(ROUTER_IPV4, to, udp(67, 68, answer)));
      await learnt('10.0.0.90');
      assert.ok(pings(machines.alice, '10.0.0.90'));
      await sleep(2500);
      assert.equal(pings(machines.alice, '10.0.0.90'), false);
      assert.equal((await inKernel('learned_ip')).includes('10.0.0.90'), false);
    });
  });
}
