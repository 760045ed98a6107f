import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, suite, test } from 'node:test';
import ipaddr from 'ipaddr.js';
import { type Connection, connect } from '../../src/index.ts';
import { type Computer, Machines, ROUTER_IPV4, ROUTER_IPV6 } from '../support/frames/machines.ts';
import { alice, bob } from '../support/frames/network.ts';
import { requires } from '../support/requirements.ts';
import { until } from '../support/wait.ts';
import { enforce, isThorough, lengthy, type Mode, modes } from './modes.ts';
import { Witness } from './witness.ts';

const needs = requires('root', 'ip', 'bridge', 'veth', 'clients');

interface Address {
  readonly local: string;
  readonly prefixlen: number;
  readonly dadfailed?: boolean;
  readonly tentative?: boolean;
}

function addresses(computer: Computer, family: '-4' | '-6'): Address[] {
  const [link] = JSON.parse(computer.run('ip', '-j', family, 'address', 'show', 'dev', 'eth0') || '[]');
  return link?.addr_info ?? [];
}

const same = (a: string, b: string): boolean => ipaddr.parse(a).toString() === ipaddr.parse(b).toString();

const has = (computer: Computer, address: string): boolean =>
  addresses(computer, address.includes(':') ? '-6' : '-4').some(
    ({ local, tentative, dadfailed }) => same(local, address) && !tentative && !dadfailed,
  );

/** What a DHCP client runs when it has a lease: sets the address, and says so. */
const LEASE_SCRIPT = `#!/bin/sh
# udhcpc passes the event as an argument, dhclient in $reason.
case "$1$reason" in
  bound|renew) ip address replace "$ip/24" dev "$interface" ;;
  BOUND|RENEW|REBIND) ip address replace "$new_ip_address/24" dev "$interface" ;;
  BOUND6|RENEW6) ip -6 address replace "$new_ip6_address/128" dev "$interface" nodad ;;
  PREINIT6) sleep 0.5 ;;
esac
exit 0
`;

function clients(mode: Mode): void {
  suite(`real clients behind protected ports: ${mode.name}`, { ...needs, concurrency: 1 }, () => {
    let machines: Machines;
    let script: string;
    let nft: Connection;
    let witness: Witness;
    /** What the firewall dropped before this test. */
    let dropped = {};
    const file = (name: string) => join(machines.directory, name);

    before(async () => {
      machines = await Machines.build();
      nft = connect({ netns: machines.netns });
      await enforce(nft, mode);
      witness = await Witness.of(nft, [alice, bob]);
      script = file('lease');
      writeFileSync(script, LEASE_SCRIPT, { mode: 0o755 });
      machines.router.start(
        'dnsmasq',
        ...[
          '--keep-in-foreground',
          '--no-resolv',
          '--no-hosts',
          '--port=0',
          '--user=root',
          '--log-facility=-',
        ],
        ...[`--pid-file=${file('dnsmasq.pid')}`, `--dhcp-leasefile=${file('leases')}`, '--interface=eth0'],
        '--dhcp-range=10.0.0.0,static,255.255.255.0,2m',
        '--dhcp-range=2a0a:e5c1:111:888::,slaac,static,64,2m',
        '--enable-ra',
        ...[alice, bob].map(({ mac, ipv4, ipv6 }) => `--dhcp-host=${mac},${ipv4},[${ipv6}]`),
      );
      await machines.up();
    });
    after(async () => {
      await nft?.close();
      await machines?.[Symbol.asyncDispose]();
    });
    afterEach(async () => {
      const now = await witness.dropped();
      const before = dropped;
      dropped = now;
      assert.deepEqual(now, before, 'legitimate frames were dropped');
    });

    const withoutAddress = () => machines.alice.run('ip', '-4', 'address', 'flush', 'dev', 'eth0');

    test('SLAAC: addresses from the router, after duplicate address detection', async () => {
      for (const computer of [machines.alice, machines.bob]) {
        await until('a global address', () => has(computer, computer.is.ipv6));
        assert.ok(has(computer, computer.is.linkLocal));
      }
      assert.match(machines.alice.run('ip', '-6', 'route', 'show', 'default'), /via fe80::/);
    });

    test('DHCPv4: udhcpc', () => {
      withoutAddress();
      machines.alice.run('udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-t', '5', '-T', '1', '-s', script);
      assert.ok(has(machines.alice, alice.ipv4));
    });

    test('DHCPv4 and DHCPv6: isc-dhcp-client', async () => {
      withoutAddress();
      for (const family of ['-4', '-6']) {
        machines.alice.run('ip', '-6', 'address', 'flush', 'dev', 'eth0', 'scope', 'global');
        const address = family === '-4' ? alice.ipv4 : alice.ipv6;
        const files = [
          '-lf',
          file(`leases${family}`),
          '-pf',
          file(`pid${family}`),
          '-cf',
          '/dev/null',
          '-sf',
          script,
        ];
        const client = machines.alice.start('dhclient', family, '-1', '-d', ...files, 'eth0');
        await until(`dhclient ${family}: ${client.said}`, () => has(machines.alice, address));
        await client.end();
      }
    });

    test('DHCPv4: dhcpcd, with ARP probes for what it is given', lengthy(mode), async () => {
      withoutAddress();
      // Its files are wherever it was built to have them: somewhere of its own is mounted over them.
      const inside =
        'mount -t tmpfs t /var/lib/dhcpcd; mount -t tmpfs t /run; exec dhcpcd -4 -1 -B -d -C resolv.conf eth0';
      const client = machines.alice.start('unshare', '--mount', 'sh', '-c', inside);
      await until('dhcpcd', () => has(machines.alice, alice.ipv4), 15).catch((error) =>
        assert.fail(`${error}: ${client.said}`),
      );
      await client.end();
      assert.match(client.said, /probing for 10\.0\.0\.1|ARP probing/);
    });

    test('IPv4 and IPv6 between the VMs, and to the router: nothing is lost', () => {
      machines.alice.run('ip', 'address', 'replace', `${alice.ipv4}/24`, 'dev', 'eth0');
      machines.bob.run('ip', 'address', 'replace', `${bob.ipv4}/24`, 'dev', 'eth0');
      for (const computer of machines.computers) computer.run('ip', 'neigh', 'flush', 'dev', 'eth0');
      for (const to of [bob.ipv4, ROUTER_IPV4, bob.ipv6, bob.linkLocal, ROUTER_IPV6]) {
        const target = to.startsWith('fe80') ? `${to}%eth0` : to;
        for (const size of ['56', '6000']) {
          const said = machines.alice.run('ping', '-c', '20', '-i', '0.002', '-W', '1', '-s', size, target);
          assert.match(said, / 20 received, 0% packet loss/, said);
        }
        const neighbours = JSON.parse(machines.alice.run('ip', '-j', 'neigh', 'show', 'dev', 'eth0'));
        assert.ok(
          neighbours.some(({ dst, lladdr }: { dst: string; lladdr?: string }) => same(dst, to) && lladdr),
        );
      }
    });

    test('groups are reported: the bridge learns where their listeners are', async () => {
      machines.alice.run(
        'sh',
        '-ec',
        'ip maddress add 01:00:5e:01:02:03 dev eth0; ip -6 address add ff15::99 dev eth0 autojoin nodad',
      );
      await until('a report of ff15::99', () =>
        /v343a-0 grp ff15::99/.test(machines.run('bridge', 'mdb', 'show')),
      );
    });

    for (const [what, ...how] of [
      ['TCP', '-n', '100M'],
      ['TCP, the other way', '-n', '100M', '-R'],
      ['fragmented UDP', '-n', '600K', '-u', '-l', '6000', '-b', '10M'],
      ['fragmented UDP, the other way', '-n', '600K', '-u', '-l', '6000', '-b', '10M', '-R'],
    ] as const) {
      test(`iperf3: ${what}`, what.includes('UDP') ? lengthy(mode) : {}, async () => {
        for (const to of [bob.ipv4, bob.ipv6]) {
          const server = machines.bob.start('iperf3', '-s', '-1');
          await until(
            'iperf3 listens',
            () =>
              /listening/.test(server.said) || machines.bob.succeeds('sh', '-c', 'ss -ltn | grep -q :5201'),
          );
          const { end, error } = JSON.parse(machines.alice.run('iperf3', '-J', '-c', to, ...how));
          assert.equal(error, undefined);
          if (what.includes('UDP')) {
            assert.ok(end.sum.packets >= 100);
            assert.equal(end.sum.lost_packets, 0);
          } else assert.ok(end.sum_received.bits_per_second > 1e7, `${end.sum_received.bits_per_second}`);
          await server.end(5);
        }
      });
    }

    test('what is not the VM’s own is dropped, and the counters see it', async () => {
      machines.bob.run('ip', 'address', 'add', '10.0.0.77/24', 'dev', 'eth0');
      assert.ok(
        !machines.bob.succeeds('ping', '-c', '2', '-i', '0.01', '-W', '0.1', '-I', '10.0.0.77', alice.ipv4),
      );
      assert.ok((await witness.seen()) > 1000);
      dropped = await witness.dropped();
      const hook = mode.backend === 'netdev' ? 'ingress' : 'prerouting';
      assert.deepEqual(dropped, { [`${bob.port}_${hook}`]: 2 });
    });
  });
}

clients(modes.find(isThorough) as Mode);
// Most of the time they wait for leases and advertisements; where loss is measured they take turns.
const others = modes.slice(1);
suite('real clients in the other modes', { concurrency: others.some(isThorough) ? 1 : others.length }, () => {
  for (const mode of others) clients(mode);
});
