import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import { type Kernel, rulesOf, withKernel } from '../support/kernel.ts';
import { requires } from '../support/requirements.ts';
import { withoutHandles } from './comparable.ts';

const isThere = spawnSync('iptables-nft', ['-V']).status === 0;
const options = isThere ? requires('root', 'netns', 'nft') : { skip: 'this needs iptables-nft' };

/** Rules as iptables writes them into nf_tables: with extensions of xtables, of which nft knows no words. */
const rules: readonly string[] = [
  '-A INPUT -p tcp --dport 22 -m comment --comment hello -j ACCEPT',
  '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT',
  '-A INPUT -p tcp -m multiport --dports 80,443 -j DROP',
  '-A INPUT ! -p udp -m statistic --mode random --probability 0.5 -j DROP',
  '-A INPUT -m limit --limit 5/min -j LOG --log-prefix x',
  '-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu',
  '-t nat -A POSTROUTING -s 10.0.0.0/8 -j MASQUERADE',
];

const saved = ({ run }: Kernel) =>
  run('iptables-nft-save', [])
    .replace(/^#.*$/gm, '')
    .replace(/\[\d+:\d+\]/g, '');

suite('rules of iptables-nft', options, () => {
  test('are read as what they are, and go back so that iptables lists them as its own', (t) =>
    withKernel(async (kernel) => {
      const taken = rules.filter((rule) => {
        try {
          kernel.run('iptables-nft', rule.split(' '));
          return true;
        } catch {
          return false;
        }
      });
      t.diagnostic(`the kernel has the extensions of ${taken.length} of ${rules.length} rules`);
      assert.ok(taken.length > 0);
      const listing = await kernel.nft.list();
      const kinds = JSON.stringify(rulesOf(listing, 'INPUT'));
      assert.ok(kinds.includes('{"opaque":{"name":"match"'), kinds);
      await withKernel(async (copy) => {
        await copy.nft.commit(listing);
        assert.deepEqual(withoutHandles(await copy.nft.list()), withoutHandles(listing));
        assert.equal(saved(copy), saved(kernel));
      });
    }));
});
