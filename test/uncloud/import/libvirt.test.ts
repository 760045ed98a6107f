import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ImportError, importLibvirt } from '../../../src/uncloud/index.ts';
import { assertValid } from './valid.ts';

/** A running domain on a bridge, with a filter and its variables. */
const RUNNING = `<domain type='kvm' id='3'>
  <name>web</name><uuid>6f0d1c5e-0c4b-4f60-9e7f-0f5a6a3a1d10</uuid>
  <devices>
    <interface type='bridge'>
      <mac address='52:54:00:AA:00:01'/>
      <source bridge='br100'/>
      <target dev='vnet3'/>
      <filterref filter='clean-traffic-gateway'>
        <parameter name='IP' value='192.0.2.10'/>
        <parameter name='IP' value='192.0.2.11'/>
        <parameter name='GATEWAY_MAC' value='52:54:00:00:00:fe'/>
      </filterref>
      <alias name='net0'/>
    </interface>
  </devices>
</domain>`;

/** A running domain in a virtual network, whose bridge libvirt writes beside it. */
const NETWORK = `<domain type='qemu' id='9'><name>nat</name><devices>
  <interface type='network'>
    <mac address='52:54:00:aa:00:02'/>
    <source network='default' portid='2f5f' bridge='virbr0'/>
    <target dev='vnet9'/>
    <filterref filter='clean-traffic'><parameter name='CTRL_IP_LEARNING' value='dhcp'/></filterref>
  </interface>
  <interface type='ethernet'>
    <mac address='52:54:00:aa:00:03'/><target dev='tap9'/><ip address='2001:db8::9' family='ipv6' prefix='64'/>
  </interface>
</devices></domain>`;

/** One that is defined and not running: it has no port yet. */
const DEFINED = `<domain type='kvm'><name>off</name><devices>
  <interface type='network'><mac address='52:54:00:aa:00:04'/><source network='default'/></interface>
</devices></domain>`;

/** As libvirt 9 prints a domain on Open vSwitch: a port group, a trunk with a native tag, what nobody here knows. */
const TRUNK = `<domain type='kvm' id='4' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>router</name><devices>
  <interface type='bridge' trustGuestRxFilters='yes'>
    <mac address='52:54:00:aa:00:10' type='static'/>
    <source network='ovs' portid='7c' portgroup='trunk' bridge='ovsbr0'/>
    <vlan trunk='yes'><tag id='47'/><tag id='42' nativeMode='untagged'/><tag id='10'/></vlan>
    <virtualport type='openvswitch'><parameters interfaceid='09b1'/></virtualport>
    <bandwidth><inbound average='1000'/></bandwidth>
    <target dev='vnet5'/><model type='virtio'/><driver name='vhost' queues='4'/><mtu size='9000'/>
    <port isolated='yes'/><future kind='x'/><alias name='net0'/>
    <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
  </interface>
  <interface type='bridge'><mac address='52:54:00:aa:00:11'/><source bridge='br1'/><vlan><tag id='5'/></vlan>
    <target dev='vnet6'/>
    <filterref filter='mine'><parameter name='MAC' value='52:54:00:AA:00:11'/><parameter name='PORTS' value='80'/></filterref>
  </interface>
</devices></domain>`;

/** What libvirt keeps of a running domain, with what its network came to. */
const STATUS = `<domstatus state='running' reason='booted' pid='77'>
  <domain type='kvm' id='8'><name>kept</name><devices>
    <interface type='network'><mac address='52:54:00:aa:00:12'/>
      <source network='lan' portgroup='guests'/>
      <actual type='bridge'><source bridge='br-lan'/></actual>
      <target dev='vnet8'/><ip address='192.0.2.8' family='ipv4' prefix='24'/>
    </interface>
  </devices></domain></domstatus>`;

suite('importing from libvirt', () => {
  test('a trunk with a port group, and what cannot be had here', () => {
    const { vms, omissions } = importLibvirt(TRUNK);
    assert.deepEqual(vms.router?.nics, [
      { ifname: 'vnet5', bridge: 'ovsbr0', mac: '52:54:00:aa:00:10', vlans: [10, 47] },
      {
        ifname: 'vnet6',
        bridge: 'br1',
        mac: '52:54:00:aa:00:11',
        filter: 'mine',
        variables: { PORTS: ['80'] },
      },
    ]);
    assert.deepEqual(
      omissions.map(({ what }) => what.split(/[: ]/)[0]),
      ['<future>', 'trustGuestRxFilters', '<port', 'a', 'filter'],
    );
  });

  test('what libvirt keeps of a running domain', () => {
    assert.deepEqual(importLibvirt(STATUS), {
      vms: {
        kept: {
          nics: [{ ifname: 'vnet8', bridge: 'br-lan', mac: '52:54:00:aa:00:12', ipv4: ['192.0.2.8/32'] }],
        },
      },
      groups: {},
      omissions: [],
    });
  });

  test('what validation takes, and nothing new the second time', async () => {
    for (const text of [RUNNING, NETWORK, DEFINED, STATUS]) await assertValid(importLibvirt(text));
  });

  test('a running domain on a bridge', () => {
    assert.deepEqual(importLibvirt(RUNNING), {
      vms: {
        web: {
          nics: [
            {
              ifname: 'vnet3',
              bridge: 'br100',
              mac: '52:54:00:aa:00:01',
              ipv4: ['192.0.2.10/32', '192.0.2.11/32'],
              filter: 'clean-traffic-gateway',
              variables: { GATEWAY_MAC: ['52:54:00:00:00:fe'] },
            },
          ],
        },
      },
      groups: {},
      omissions: [],
    });
  });

  test('several domains; those without a port or bridge are reported', () => {
    const { vms, omissions } = importLibvirt(`<domains>${NETWORK}${DEFINED}</domains>`);
    assert.deepEqual(vms, {
      nat: {
        nics: [
          {
            ifname: 'vnet9',
            bridge: 'virbr0',
            mac: '52:54:00:aa:00:02',
            filter: 'clean-traffic',
            learn: 'dhcp',
          },
        ],
      },
    });
    assert.deepEqual(
      omissions.map(({ where, what }) => [where, /<[^>]*>/.exec(what)?.[0]]),
      [
        ['domain nat, interface 1', undefined],
        ['domain off, interface 0', '<target dev>'],
        ['domain off', undefined],
      ],
    );
  });

  test('refuses what is no domain', () => {
    for (const text of ['', '<network/>', '<domain><devices/></domain>', '<domain>'])
      assert.throws(() => importLibvirt(text), ImportError, text);
  });
});
