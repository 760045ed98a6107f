import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { requires } from '../../support/requirements.ts';

// What the VM is for. There `requires` throws when its kernel lacks one of these; elsewhere it skips.

/** What the script prints in a network namespace of its own. */
function inNamespace(script: string): string {
  const { status, stdout, stderr } = spawnSync('unshare', ['--net', 'sh', '-euc', script], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

/**
 * Without br_netfilter, should another test have loaded it: it hands frames to inet's connection tracking. A
 * bridge br0 whose ports p0 and q0 lead to p1 and q1, where 192.0.2.1 asks for 192.0.2.2. */
const BRIDGE = `
  for call in /proc/sys/net/bridge/bridge-nf-call-*; do
    [ ! -e $call ] || echo 0 > $call
  done
  ip link add br0 type bridge
  for end in p q; do
    ip link add \${end}0 type veth peer name \${end}1
    ip link set \${end}0 master br0
    ip link set \${end}0 up
    ip link set \${end}1 up
  done
  ip link set br0 up
  ip address add 192.0.2.1/24 dev p1
`;
const PING = 'ping -c 1 -W 1 192.0.2.2 >/dev/null || true';

/** Loads the rules into a bridge chain, sends frames across br0, lists what was counted. */
function countOnBridge(rules: string): string {
  return inNamespace(`${BRIDGE}
    nft -f - <<'RULES'
      table bridge t {
        chain c { type filter hook forward priority 0; ${rules} }
      }
RULES
    ${PING}
    nft list ruleset`);
}

const NEEDS = ['root', 'netns', 'nft', 'ip', 'bridge', 'veth'] as const;

test('meta ibrname names the bridge that a frame came through', requires(...NEEDS, 'ibrname'), () => {
  const listing = countOnBridge('meta ibrname "br0" counter; meta ibrname "br1" counter;');
  assert.match(listing, /meta ibrname "br0" counter packets [1-9]/);
  assert.match(listing, /meta ibrname "br1" counter packets 0 /);
});

test('a bridge tracks connections', requires(...NEEDS, 'bridge-conntrack'), () => {
  const listing = inNamespace(`${BRIDGE}
    ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev p1
    nft 'table bridge t { chain c { type filter hook forward priority 0; ct state new counter; }; }'
    ${PING}
    nft list ruleset`);
  assert.match(listing, /ct state new counter packets [1-9]/);
});

test('a bridge rejects', requires(...NEEDS, 'bridge-reject'), () => {
  const listing = inNamespace(`${BRIDGE}
    nft 'table bridge t { chain c { type filter hook prerouting priority 0; tcp dport 22 reject with tcp reset; }; }'
    nft list ruleset`);
  assert.match(listing, /tcp dport 22 reject with tcp reset/);
});

test('a device carries VLANs', requires('root', 'netns', 'ip', 'vlan-device'), () => {
  const listing = inNamespace(`
    ip link add d0 type dummy
    ip link add link d0 name d0.7 type vlan id 7
    ip -details link show d0.7`);
  assert.match(listing, /vlan protocol 802\.1Q id 7/);
});

test('flowtables take flows', requires(...NEEDS, 'flowtable', 'conntrack'), () => {
  const listing = inNamespace(`
    ip link add d0 type dummy
    nft -f - <<'RULES'
      table inet t {
        flowtable f { hook ingress priority 0; devices = { d0 }; }
        chain c { type filter hook forward priority 0; meta l4proto tcp flow add @f; }
      }
RULES
    nft list ruleset`);
  assert.match(listing, /flow add @f/);
});

for (const [feature, rule] of [
  ['queue', 'ip saddr 192.0.2.1 queue to 3'],
  ['nat', 'oifname "wan" masquerade'],
] as const) {
  test(`the kernel takes: ${rule}`, requires('root', 'netns', 'nft', feature), () => {
    const listing = inNamespace(`
      nft 'table ip t { chain c { type nat hook postrouting priority srcnat; ${rule}; }; }'
      nft list ruleset`);
    assert.ok(listing.includes(rule), listing);
  });
}
