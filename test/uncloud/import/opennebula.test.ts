import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ImportError, importOpenNebula } from '../../../src/uncloud/index.ts';
import { assertValid } from './valid.ts';

/** As 5.4 shows a VM: CDATA everywhere, IPv6 as link, ULA and global. */
const OLD = `<VM>
  <ID>12</ID><UID>0</UID><NAME>web</NAME><STATE>3</STATE><LCM_STATE>3</LCM_STATE>
  <TEMPLATE>
    <CPU><![CDATA[1]]></CPU>
    <NIC>
      <AR_ID><![CDATA[0]]></AR_ID><BRIDGE><![CDATA[br100]]></BRIDGE>
      <IP><![CDATA[192.0.2.10]]></IP>
      <IP6_GLOBAL><![CDATA[2001:db8::400:c0ff:fe00:20a]]></IP6_GLOBAL>
      <IP6_LINK><![CDATA[fe80::400:c0ff:fe00:20a]]></IP6_LINK>
      <IP6_ULA><![CDATA[fd00::400:c0ff:fe00:20a]]></IP6_ULA>
      <MAC><![CDATA[02:00:C0:00:02:0A]]></MAC>
      <NIC_ID><![CDATA[0]]></NIC_ID><SECURITY_GROUPS><![CDATA[0]]></SECURITY_GROUPS>
      <TARGET><![CDATA[one-12-0]]></TARGET><VN_MAD><![CDATA[802.1Q]]></VN_MAD>
    </NIC>
    <SECURITY_GROUP_RULE>
      <PROTOCOL><![CDATA[ALL]]></PROTOCOL><RULE_TYPE><![CDATA[OUTBOUND]]></RULE_TYPE>
      <SECURITY_GROUP_ID><![CDATA[0]]></SECURITY_GROUP_ID>
    </SECURITY_GROUP_RULE>
    <SECURITY_GROUP_RULE>
      <PROTOCOL><![CDATA[ALL]]></PROTOCOL><RULE_TYPE><![CDATA[INBOUND]]></RULE_TYPE>
      <SECURITY_GROUP_ID><![CDATA[0]]></SECURITY_GROUP_ID>
    </SECURITY_GROUP_RULE>
    <VMID><![CDATA[12]]></VMID>
  </TEMPLATE>
</VM>`;

/** As 6.x lists a pool: aliases, groups with rules, a VM that is gone, one that is not placed yet. */
const POOL = `<?xml version="1.0"?>
<VM_POOL>
  <VM><ID>20</ID><STATE>3</STATE><TEMPLATE>
    <NIC><BRIDGE>br0</BRIDGE><IP>10.0.0.5</IP><MAC>02:00:0a:00:00:05</MAC><NAME>NIC0</NAME><NIC_ID>0</NIC_ID>
      <SECURITY_GROUPS>101,100</SECURITY_GROUPS><TARGET>one-20-0</TARGET></NIC>
    <NIC><BRIDGE>br1</BRIDGE><IP6>2001:db8:1::5</IP6><MAC>02:00:0a:00:00:06</MAC><NIC_ID>1</NIC_ID></NIC>
    <NIC_ALIAS><IP>10.0.0.6</IP><MAC>02:00:0a:00:00:05</MAC><NIC_ID>2</NIC_ID><PARENT>NIC0</PARENT><PARENT_ID>0</PARENT_ID></NIC_ALIAS>
    <SECURITY_GROUP_RULE><PROTOCOL>TCP</PROTOCOL><RANGE>22,8000:8080</RANGE><RULE_TYPE>INBOUND</RULE_TYPE>
      <IP>198.51.100.2</IP><SIZE>6</SIZE><SECURITY_GROUP_ID>100</SECURITY_GROUP_ID></SECURITY_GROUP_RULE>
    <SECURITY_GROUP_RULE><PROTOCOL>ICMP</PROTOCOL><ICMP_TYPE>8</ICMP_TYPE><RULE_TYPE>INBOUND</RULE_TYPE>
      <SECURITY_GROUP_ID>100</SECURITY_GROUP_ID></SECURITY_GROUP_RULE>
    <SECURITY_GROUP_RULE><PROTOCOL>ALL</PROTOCOL><RULE_TYPE>OUTBOUND</RULE_TYPE>
      <SECURITY_GROUP_ID>101</SECURITY_GROUP_ID></SECURITY_GROUP_RULE>
    <SECURITY_GROUP_RULE><PROTOCOL>SCTP9</PROTOCOL><RULE_TYPE>INBOUND</RULE_TYPE>
      <SECURITY_GROUP_ID>101</SECURITY_GROUP_ID></SECURITY_GROUP_RULE>
  </TEMPLATE></VM>
  <VM><ID>21</ID><STATE>6</STATE><TEMPLATE><NIC><BRIDGE>br0</BRIDGE><MAC>02:00:00:00:00:01</MAC></NIC></TEMPLATE></VM>
  <VM><ID>22</ID><STATE>1</STATE><TEMPLATE><NIC><NETWORK>later</NETWORK><NIC_ID>0</NIC_ID></NIC></TEMPLATE></VM>
  <VM><ID>23</ID><STATE>3</STATE><TEMPLATE/></VM>
  <VM><ID>24</ID><STATE>3</STATE><TEMPLATE><VMID>24</VMID></TEMPLATE></VM>
</VM_POOL>`;

/** As 6.8 shows a VM on Open vSwitch: trunk, external alias, networks and IPv6 in groups, a card passed through. */
const NEW = `<VM>
  <ID>31</ID><STATE>3</STATE><TEMPLATE>
    <NIC><AR_ID>0</AR_ID><BRIDGE>ovs0</BRIDGE><BRIDGE_TYPE>openvswitch</BRIDGE_TYPE><CLUSTER_ID>0</CLUSTER_ID>
      <IP>10.1.0.5</IP><MAC>02:00:0a:01:00:05</MAC><NAME>NIC0</NAME><NETWORK>lan</NETWORK><NETWORK_ID>4</NETWORK_ID>
      <NIC_ID>0</NIC_ID><SECURITY_GROUPS>102,103</SECURITY_GROUPS><TARGET>one-31-0</TARGET><VLAN_ID>7</VLAN_ID>
      <VLAN_TAGGED_ID>10,20-30</VLAN_TAGGED_ID><VN_MAD>ovswitch</VN_MAD><CVLANS>5</CVLANS></NIC>
    <NIC_ALIAS><EXTERNAL>YES</EXTERNAL><IP>203.0.113.5</IP><NIC_ID>1</NIC_ID><PARENT_ID>0</PARENT_ID>
      <SECURITY_GROUPS>104</SECURITY_GROUPS></NIC_ALIAS>
    <NIC><BRIDGE>br1</BRIDGE><IP6>2001:db8::31</IP6><MAC>02:00:0a:01:00:06</MAC><NIC_ID>2</NIC_ID>
      <SECURITY_GROUPS>0,102</SECURITY_GROUPS></NIC>
    <PCI><TYPE>NIC</TYPE><MAC>02:00:0a:01:00:07</MAC></PCI>
    <SECURITY_GROUP_RULE><PROTOCOL>TCP</PROTOCOL><RANGE>443</RANGE><RULE_TYPE>inbound</RULE_TYPE><NETWORK_ID>4</NETWORK_ID>
      <IP>10.1.0.0</IP><IP6>2001:db8:4::</IP6><SIZE>256</SIZE><SECURITY_GROUP_ID>102</SECURITY_GROUP_ID></SECURITY_GROUP_RULE>
    <SECURITY_GROUP_RULE><PROTOCOL>ICMPV6</PROTOCOL><ICMPV6_TYPE>128</ICMPV6_TYPE><RULE_TYPE>INBOUND</RULE_TYPE>
      <SECURITY_GROUP_ID>102</SECURITY_GROUP_ID></SECURITY_GROUP_RULE>
    <SECURITY_GROUP_RULE><PROTOCOL>TCP</PROTOCOL><RULE_TYPE>INBOUND</RULE_TYPE><NETWORK_ID>9</NETWORK_ID>
      <MAC>02:00:00:00:00:00</MAC><SIZE>10</SIZE><SECURITY_GROUP_ID>102</SECURITY_GROUP_ID></SECURITY_GROUP_RULE>
    <SECURITY_GROUP_RULE><PROTOCOL>ALL</PROTOCOL><RULE_TYPE>INBOUND</RULE_TYPE><SECURITY_GROUP_ID>0</SECURITY_GROUP_ID></SECURITY_GROUP_RULE>
    <SECURITY_GROUP_RULE><PROTOCOL>ALL</PROTOCOL><RULE_TYPE>OUTBOUND</RULE_TYPE><SECURITY_GROUP_ID>0</SECURITY_GROUP_ID></SECURITY_GROUP_RULE>
    <SECURITY_GROUP_RULE><PROTOCOL>TCP</PROTOCOL><RANGE>70000</RANGE><RULE_TYPE>INBOUND</RULE_TYPE>
      <SECURITY_GROUP_ID>103</SECURITY_GROUP_ID></SECURITY_GROUP_RULE>
    <VMID>31</VMID>
  </TEMPLATE>
</VM>`;

suite('importing from OpenNebula', () => {
  test('onevm show -x of 6.8: what is not understood opens nothing, and is told', () => {
    const { vms, groups, omissions } = importOpenNebula(NEW);
    assert.deepEqual(vms[31]?.nics, [
      {
        ifname: 'one-31-0',
        bridge: 'ovs0',
        mac: '02:00:0a:01:00:05',
        ipv4: ['10.1.0.5/32'],
        vlans: [10, '20-30'],
        groups: ['one-102', 'one-103'],
      },
      { ifname: 'one-31-2', bridge: 'br1', mac: '02:00:0a:01:00:06', ipv6: ['2001:db8::31/128'] },
    ]);
    const closed = { in: 'drop', out: 'drop' };
    assert.deepEqual(groups, {
      'one-102': {
        rules: [
          {
            direction: 'in',
            action: 'accept',
            protocol: 'tcp',
            ports: ['443'],
            from: ['10.1.0.0/24', '2001:db8:4::/120'],
          },
          { direction: 'in', action: 'accept', protocol: 'icmpv6', types: [128] },
        ],
        default: closed,
      },
      'one-103': { rules: [], default: closed },
    });
    assert.deepEqual(
      omissions.map(({ where, what }) => `${where}: ${what.split(/[:,] /)[0]}`),
      [
        'VM 31: a NIC that is passed through has no port: it is left out'.split(/: it/)[0],
        'VM 31, security group 102: a network without addresses',
        'VM 31, security group 103: ports[0]',
        'VM 31, NIC 0: CVLANS is not known',
        'VM 31, NIC 0: external alias 203.0.113.5',
        'VM 31, NIC 0: a port of Open vSwitch',
        'VM 31, NIC 0: one-104 of an alias alone',
      ],
    );
  });

  test('what validation takes, and nothing new the second time', async () => {
    for (const text of [OLD, POOL, NEW]) await assertValid(importOpenNebula(text));
  });

  test('onevm show -x of 5.4', () => {
    assert.deepEqual(importOpenNebula(OLD), {
      vms: {
        12: {
          nics: [
            {
              ifname: 'one-12-0',
              bridge: 'br100',
              mac: '02:00:c0:00:02:0a',
              ipv4: ['192.0.2.10/32'],
              ipv6: ['2001:db8::400:c0ff:fe00:20a/128', 'fd00::400:c0ff:fe00:20a/128'],
            },
          ],
        },
      },
      groups: {},
      omissions: [],
    });
  });

  test('onevm list -x of 6: aliases, groups, VMs without a host', () => {
    const { vms, groups, omissions } = importOpenNebula(POOL);
    assert.deepEqual(vms, {
      20: {
        nics: [
          {
            ifname: 'one-20-0',
            bridge: 'br0',
            mac: '02:00:0a:00:00:05',
            ipv4: ['10.0.0.5/32', '10.0.0.6/32'],
            groups: ['one-100', 'one-101'],
          },
          { ifname: 'one-20-1', bridge: 'br1', mac: '02:00:0a:00:00:06', ipv6: ['2001:db8:1::5/128'] },
        ],
      },
      24: { nics: [] },
    });
    assert.deepEqual(groups, {
      'one-100': {
        rules: [
          {
            direction: 'in',
            action: 'accept',
            protocol: 'tcp',
            ports: ['22', '8000-8080'],
            from: ['198.51.100.2/31', '198.51.100.4/30'],
          },
          { direction: 'in', action: 'accept', protocol: 'icmp', types: [8] },
        ],
        default: { in: 'drop', out: 'drop' },
      },
      'one-101': { rules: [{ direction: 'out', action: 'accept' }], default: { in: 'drop', out: 'drop' } },
    });
    assert.deepEqual(
      omissions.map(({ where }) => where),
      ['VM 20, security group 101', 'VM 22', 'VM 23'],
    );
  });

  test('refuses what is no export', () => {
    for (const text of [
      '',
      'no XML',
      '<VM>',
      '<VM><NAME>x</NAME></VM>',
      '<HOST_POOL/>',
      '<VM><ID>1</ID></VM><VM/>',
    ])
      assert.throws(() => importOpenNebula(text), ImportError, text);
  });

  test('reads nothing from elsewhere, whatever the XML says', () => {
    const text = '<!DOCTYPE VM [<!ENTITY x SYSTEM "file:///etc/passwd">]><VM><ID>1</ID><NAME>&x;</NAME></VM>';
    try {
      assert.ok(!JSON.stringify(importOpenNebula(text)).includes('root'));
    } catch (error) {
      assert.ok(error instanceof ImportError);
    }
  });
});
