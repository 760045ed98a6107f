import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { importProxmox } from '../../../src/uncloud/index.ts';
import { assertValid } from './valid.ts';

const VM = `agent: 1
boot: order=scsi0
ipconfig0: ip=192.0.2.10/24,gw=192.0.2.1,ip6=2001:db8::10/64
ipconfig1: ip=dhcp,ip6=auto
name: web
net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1
net1: model=e1000,macaddr=BC:24:11:00:00:02,bridge=vmbr1,tag=5,trunks=10;20-30
net2: virtio=BC:24:11:00:00:03,firewall=1

[before-upgrade]
#an old state
net0: virtio=BC:24:11:00:00:09,bridge=vmbr9
`;

const CONTAINER = `arch: amd64
hostname: ct
net0: name=eth0,bridge=vmbr0,firewall=1,gw=192.0.2.1,hwaddr=BC:24:11:00:00:0A,ip=192.0.2.20/24,ip6=dhcp,type=veth
rootfs: local:101/vm-101-disk-0.raw
`;

const GUEST = `[OPTIONS]
enable: 1
policy_in: DROP
policy_out: REJECT
ipfilter: 1

[ALIASES]
office 198.51.100.0/24 # the office

[IPSET ipfilter-net0]
2001:db8:77::/64

[IPSET friends]
203.0.113.7
dc/monitor

[RULES]
IN SSH(ACCEPT) -source office -log info
GROUP webserver -i net0
IN ACCEPT -source +guest/friends,10.0.0.1-10.0.0.6 -p tcp -dport 25,587:588 -sport 1024:65535
|IN ACCEPT -p tcp -dport 99
OUT ACCEPT -p icmp -icmp-type echo-request -dest dc/monitor
IN Gopher(ACCEPT)
IN ACCEPT -dest 192.0.2.10
`;

const CLUSTER = `[OPTIONS]
enable: 1
[ALIASES]
monitor 203.0.113.200
[group webserver] # for the web
IN Web(ACCEPT)
IN ACCEPT -p udp -dport 443
`;

const CONF8 = `cores: 2
ipconfig0: gw=192.0.2.1,ip=192.0.2.102/24
name: eight
net0: virtio=BC:24:11:00:01:01,bridge=vmbr0,colour=red,firewall=1,mtu=1,queues=4,tag=9

[PENDING]
net0: virtio=BC:24:11:00:01:99,bridge=vmbr7
`;

const FIREWALL8 = `[OPTIONS]
enable: 1
macfilter: 0
[IPSET ipfilter-net0]
guest
[IPSET holes]
198.51.100.0/24
! nobody
[RULES]
IN SSH(ACCEPT) -source +dc/office -log nolog # maintenance
IN ACCEPT -source +sdn/vnet0-all -p tcp
IN ACCEPT -p tcp -dport http
IN ACCEPT -source +guest/holes
IN ACCEPT -p ospf
FORWARD ACCEPT -source 10.0.0.0/8
IN ACCEPT -source dc/guest -p ipv6-icmp -icmp-type echo-request
`;

const CLUSTER8 = `[OPTIONS]
enable: 1
[ALIASES]
guest 198.51.100.7
[IPSET office]
198.51.100.0/29
!guest
vnet0
`.replace('vnet0\n', '[sdn x]\nvnet0\n');

suite('importing from Proxmox', () => {
  test('what validation takes, and nothing new the second time', async () => {
    const guest = GUEST.replace('-log info', '-log warning');
    await assertValid(
      importProxmox([
        { name: '100.conf', text: VM },
        { name: '100.fw', text: guest },
        { name: 'cluster.fw', text: CLUSTER },
      ]),
    );
  });

  test('a guest with a firewall, security groups, sets and aliases', () => {
    const { vms, groups, omissions } = importProxmox([
      { name: 'qemu-server/100.conf', text: VM },
      { name: 'firewall/100.fw', text: GUEST },
      { name: 'firewall/cluster.fw', text: CLUSTER },
    ]);
    assert.deepEqual(vms, {
      100: {
        nics: [
          {
            ifname: 'tap100i0',
            bridge: 'vmbr0',
            mac: 'bc:24:11:00:00:01',
            ipv4: ['192.0.2.10/32'],
            ipv6: ['2001:db8:77::/64', '2001:db8::10/128'],
            groups: ['pve-100-net0', 'pve-group-webserver', 'pve-100-net0.2', 'pve-100-policy'],
          },
          { ifname: 'tap100i1', bridge: 'vmbr1', mac: 'bc:24:11:00:00:02', vlans: [10, '20-30'] },
        ],
      },
    });
    assert.deepEqual(groups, {
      'pve-100-net0': {
        rules: [
          {
            direction: 'in',
            action: 'accept',
            protocol: 'tcp',
            ports: ['22'],
            from: ['198.51.100.0/24'],
            log: { level: 'info' },
          },
        ],
      },
      'pve-group-webserver': {
        rules: [
          { direction: 'in', action: 'accept', protocol: 'tcp', ports: ['80', '443'] },
          { direction: 'in', action: 'accept', protocol: 'udp', ports: ['443'] },
        ],
      },
      'pve-100-net0.2': {
        rules: [
          {
            direction: 'in',
            action: 'accept',
            protocol: 'tcp',
            ports: ['25', '587-588'],
            sourcePorts: ['1024-65535'],
            from: [
              { group: 'pve-set-100-friends' },
              '10.0.0.1/32',
              '10.0.0.2/31',
              '10.0.0.4/31',
              '10.0.0.6/32',
            ],
          },
          {
            direction: 'out',
            action: 'accept',
            protocol: 'icmp',
            types: ['echo-request'],
            to: ['203.0.113.200/32'],
          },
        ],
      },
      'pve-set-100-friends': { members: ['203.0.113.7/32', '203.0.113.200/32'] },
      'pve-100-policy': { default: { in: 'drop', out: 'reject' } },
    });
    assert.deepEqual(
      omissions.map(({ where }) => where),
      ['100.fw line 23', '100.fw line 24', 'qemu-server/100.conf, net2'],
    );
  });

  test('of 8: scopes, exceptions in sets, and what is not understood', async () => {
    const files = (cluster: string) =>
      importProxmox([
        { name: 'nodes/pve1/qemu-server/102.conf', text: CONF8 },
        { name: 'firewall/102.fw', text: FIREWALL8 },
        { name: 'firewall/cluster.fw', text: cluster },
        { name: 'nodes/pve1/host.fw', text: '[OPTIONS]\nenable: 1\n' },
      ]);
    const { vms, groups, omissions } = files(CLUSTER8);
    await assertValid({ vms, groups, omissions: [] });
    assert.deepEqual(vms[102]?.nics, [
      {
        ifname: 'tap102i0',
        bridge: 'vmbr0',
        mac: 'bc:24:11:00:01:01',
        ipv4: ['192.0.2.102/32', '198.51.100.7/32'],
        groups: ['pve-102-net0', 'pve-102-policy'],
      },
    ]);
    assert.deepEqual(groups['pve-set-office']?.members, [
      '198.51.100.0/30',
      '198.51.100.4/31',
      '198.51.100.6/32',
    ]);
    assert.deepEqual(groups['pve-102-net0']?.rules, [
      {
        direction: 'in',
        action: 'accept',
        protocol: 'tcp',
        ports: ['22'],
        from: [{ group: 'pve-set-office' }],
      },
      {
        direction: 'in',
        action: 'accept',
        protocol: 'icmpv6',
        types: ['echo-request'],
        from: ['198.51.100.7/32'],
      },
    ]);
    assert.deepEqual(
      omissions.map(
        ({ where, what }) =>
          `${where}: ${what.replace(/: the (rule|file) is left out$|(?<=not a protocol) .*/, '')}`,
      ),
      [
        '102.fw line 3: option macfilter: 0 is not taken',
        '102.fw line 15: not understood: FORWARD ACCEPT -source 10.0.0.0/8',
        'cluster.fw line 9: not understood: vnet0',
        'nodes/pve1/host.fw: neither of a guest nor cluster.fw',
        'nodes/pve1/qemu-server/102.conf, net0: colour is not known',
        '102.fw line 11: +sdn/vnet0-all',
        '102.fw line 12: ports[0]: not a port or a range of ports (0 to 65535)',
        '102.fw line 13: +guest/holes',
        '102.fw line 14: protocol: not a protocol',
      ],
    );
    const off = files(CLUSTER8.replace('enable: 1', 'enable: 0'));
    assert.deepEqual(off.groups, {});
    assert.ok(off.omissions.some(({ what }) => /cluster is off/.test(what)));
  });

  test('a container, and one whose firewall is off', () => {
    const { vms, groups } = importProxmox([
      { name: 'lxc/101.conf', text: CONTAINER },
      { name: '101.fw', text: GUEST.replace('enable: 1', 'enable: 0') },
    ]);
    assert.deepEqual(vms, {
      101: {
        nics: [
          {
            ifname: 'veth101i0',
            bridge: 'vmbr0',
            mac: 'bc:24:11:00:00:0a',
            ipv4: ['192.0.2.20/32'],
            ipv6: ['2001:db8:77::/64'],
          },
        ],
      },
    });
    assert.deepEqual(groups, {});
  });
});
