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

suite('importing from libvirt', () => {
  test('what validation takes', () => {
    for (const text of [RUNNING, NETWORK, DEFINED]) assertValid(importLibvirt(text));
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
          },
        ],
      },
      off: { nics: [] },
    });
    assert.deepEqual(
      omissions.map(({ where, what }) => [where, /<[^>]*>/.exec(what)?.[0]]),
      [
        ['domain nat, interface 0', undefined],
        ['domain nat, interface 1', '<source bridge>'],
        ['domain off, interface 0', '<target dev>'],
      ],
    );
  });

  test('refuses what is no domain', () => {
    for (const text of ['', '<network/>', '<domain><devices/></domain>', '<domain>'])
      assert.throws(() => importLibvirt(text), ImportError, text);
  });
});
