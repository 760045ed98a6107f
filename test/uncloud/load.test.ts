import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { Chain, Command, Ruleset } from '../../src/model/index.ts';
import { render, renderFaithful } from '../../src/uncloud/index.ts';
import { requires } from '../support/requirements.ts';
import { example, interfaces } from './example.ts';

/** nft 1.0 reads one device a chain: there, one chain for each. */
function forOldNft({ nftables }: Ruleset): Ruleset {
  return {
    nftables: nftables.flatMap((command): Command[] => {
      const chain = 'add' in command && 'chain' in command.add ? command.add.chain : undefined;
      if (!Array.isArray(chain?.dev)) return [command as Command];
      const { dev, ...rest } = chain as Chain & { dev: string[] };
      const [device] = dev;
      return [{ add: { chain: { ...rest, dev: device } as Chain } }];
    }),
  };
}

/** Runs a shell script in a network namespace that goes with it; the ruleset is its standard input. */
function inNamespace(script: string, ruleset: Ruleset): string {
  const { status, stdout, stderr } = spawnSync('unshare', ['--net', 'sh', '-ec', script], {
    input: JSON.stringify(forOldNft(ruleset)),
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

const needs = requires('root', 'netns', 'nft', 'ip');

test('the kernel takes what render makes, twice, and foreign tables stay as they are', needs, () => {
  const { ruleset } = render({ ...example(), facts: { interfaces } });
  const listed = inNamespace(
    `ip link add v343a-0 type veth peer name stranger
     json=$(cat)
     nft 'add table bridge filter; add chain bridge filter c; add rule bridge filter c counter drop'
     before=$(nft list table bridge filter)
     printf %s "$json" | nft -j -f -
     printf %s "$json" | nft -j -f -
     [ "$before" = "$(nft list table bridge filter)" ]
     nft list ruleset`,
    ruleset,
  );
  assert.equal(listed.match(/table bridge uncloud/g)?.length, 1);
  assert.match(listed, /type filter hook prerouting priority dstnat; policy drop;/);
  assert.match(
    listed,
    /iifname \. ether saddr \. ip6 saddr & ffff:ffff:ffff:ffff:: \{ "v343a-0" \. 02:00:f0:a9:c4:4f \. 2a0a:e5c1:111:1234:: \} goto vm_ip6_own/,
  );
  assert.match(listed, /hook ingress device "stranger" priority -500; policy drop;/);
});

test('the faithful form lists as the article has it', needs, () => {
  const { ruleset } = renderFaithful(example());
  const listed = inNamespace('cat | nft -j -f -; nft list table bridge uncloud', ruleset);
  const lines = listed.split('\n').map((line) => line.trim());
  const chain = (name: string) => {
    const start = lines.indexOf(`chain ${name} {`);
    return lines.slice(start + 1, lines.indexOf('}', start));
  };
  // The kernel lists the elements of a hash set in an order of its own.
  const sorted = (line: string) =>
    line.replace(/\{ (.*) \}/, (_, set) => `{ ${set.split(', ').sort().join(', ')} }`);
  assert.deepEqual(chain('prerouting').map(sorted), [
    'type filter hook prerouting priority 0; policy accept;',
    'iifname { "v343a-0", "v343b-0", "vxlan100" } jump br100',
    'iifname { "v51a0-0", "vxlan200" } jump br200',
  ]);
  assert.deepEqual(chain('br100'), [
    'iifname "vxlan100" accept',
    'icmpv6 type nd-router-advert drop',
    'ip6 version 6 udp sport 547 drop',
    'ip version 4 udp sport 67 drop',
    'jump br100_vmlist',
    'drop',
  ]);
  assert.deepEqual(chain('br100_vmlist').slice(0, 3), [
    'iifname "v343a-0" ether saddr 02:00:f0:a9:c4:4f ip6 saddr 2a0a:e5c1:111:888:0:f0ff:fea9:c44f accept',
    'iifname "v343a-0" ether saddr 02:00:f0:a9:c4:4f ip6 saddr 2a0a:e5c1:111:1234::/64 accept',
    'iifname "v343a-0" ether saddr 02:00:f0:a9:c4:4f ip saddr 10.0.0.1 accept',
  ]);
});

test('a forward policy of accept leaves routing alone', needs, () => {
  const { ruleset } = render(example({ forward: 'accept' }));
  const listed = inNamespace('cat | nft -j -f -; nft list ruleset', ruleset);
  assert.match(listed, /^table inet uncloud \{\n\}$/m, 'nothing is hooked');
});
