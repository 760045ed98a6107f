import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import { apply, applyRoutes, factsOf, parseHost, parsePolicy, teardown } from '../../src/uncloud/index.ts';
import { withKernel } from '../support/kernel.ts';
import { withNetns } from '../support/netns.ts';
import { requires } from '../support/requirements.ts';

const host = parseHost({ bridges: { br0: { uplinks: [] } } });
const mac = '02:00:00:00:00:01';
const { policy } = parsePolicy(
  {
    vms: {
      a: {
        nics: [
          {
            ifname: 'v1',
            bridge: 'br0',
            mac,
            ipv4: ['192.0.2.1/32', '10.1.0.0/24'],
            ipv6: ['2001:db8:a::/64'],
          },
        ],
      },
    },
  },
  { host },
);

suite('packets for delegated prefixes', requires('root', 'netns', 'ip', 'clients'), () => {
  test('reach the VM through the host, firewall and all, while they are routed', () =>
    withNetns((_, guest) =>
      withNetns((_, outside) =>
        withKernel(async ({ nft, run }) => {
          const ip = (...commands: string[]) => run('ip', ['-batch', '-'], `${commands.join('\n')}\n`);
          const within = (pid: number, command: string) =>
            spawnSync('nsenter', [`--net=/proc/${pid}/ns/net`, 'sh', '-ec', command], { encoding: 'utf8' });
          const must = (pid: number, command: string) => {
            const { status, stderr } = within(pid, command);
            assert.equal(status, 0, `${command}: ${stderr}`);
          };
          run('sysctl', ['-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
          ip(
            'link set lo up',
            'link add br0 type bridge',
            'link set br0 up',
            'addr add 2001:db8:b::1/64 dev br0 nodad',
            `link add v1 type veth peer name eth0 address ${mac} netns ${guest}`,
            'link set v1 master br0 up',
            `link add wan type veth peer name eth0 netns ${outside}`,
            'link set wan up',
            'addr add 203.0.113.1/24 dev wan',
            'addr add 2001:db8:ffff::1/64 dev wan nodad',
          );
          must(
            guest,
            `sysctl -qw net.ipv6.conf.eth0.accept_dad=0; ip link set lo up; ip link set eth0 up
            ip addr add 192.0.2.1/32 dev eth0; ip addr add 10.1.0.7/32 dev lo; ip addr add 2001:db8:a::7/128 dev lo
            ip route add default dev eth0; ip -6 route add default via 2001:db8:b::1 dev eth0 onlink`,
          );
          must(
            outside,
            `ip link set eth0 up; ip addr add 203.0.113.9/24 dev eth0; ip addr add 2001:db8:ffff::9/64 dev eth0 nodad
            ip route add default via 203.0.113.1; ip -6 route add default via 2001:db8:ffff::1`,
          );
          run('sysctl', ['-qw', 'net.ipv4.conf.br0.proxy_arp=1']);
          const reaches = (address: string, seconds: number) =>
            within(outside, `ping -n -c1 -i0.2 -w${seconds} ${address}`).status === 0;

          await apply(nft, { host, policy, facts: await factsOf(nft) });
          for (const address of ['10.1.0.7', '2001:db8:a::7']) assert.ok(!reaches(address, 1), address);
          const { changed, problems } = await applyRoutes(nft, { host, vms: Object.entries(policy.vms) });
          assert.deepEqual([changed, problems], [2, []]);
          for (const address of ['10.1.0.7', '2001:db8:a::7']) assert.ok(reaches(address, 20), address);
          await teardown(nft);
          for (const address of ['10.1.0.7', '2001:db8:a::7']) assert.ok(!reaches(address, 1), address);
        }),
      ),
    ));
});
