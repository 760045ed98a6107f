import { spawnSync } from 'node:child_process';

interface Item {
  readonly [verb: string]: { readonly chain?: Chain; readonly rule?: { readonly chain: string } };
}
interface Chain {
  readonly name: string;
  readonly dev?: string | readonly string[];
}

/** Loads a ruleset in libnftables JSON into the namespace at `netns`, whole or not at all. */
export function loadRuleset(netns: string, ruleset: { readonly nftables: readonly unknown[] }): void {
  const nftables = oneDeviceEach(ruleset.nftables as Item[]);
  // nft opens /dev/stdin anew, which the socket that spawn gives it does not allow; a pipe does.
  const { status, stderr } = spawnSync('nsenter', [`--net=${netns}`, 'sh', '-c', 'cat | nft -j -f -'], {
    input: JSON.stringify({ nftables }),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`nft refuses the ruleset: ${stderr}`);
}

/** nft reads several devices of a chain from JSON since 1.0.8 only: a chain each does the same. */
function oneDeviceEach(items: readonly Item[]): Item[] {
  const devices = new Map<string, readonly string[]>();
  return items.flatMap((item) => {
    const [verb = '', { chain, rule } = {}] = Object.entries(item)[0] ?? [];
    if (chain && Array.isArray(chain.dev)) {
      devices.set(chain.name, chain.dev);
      return chain.dev.map((dev: string) => ({
        [verb]: { chain: { ...chain, name: `${chain.name}_${dev}`, dev } },
      }));
    }
    const copies = rule && devices.get(rule.chain);
    return copies
      ? copies.map((dev) => ({ [verb]: { rule: { ...rule, chain: `${rule.chain}_${dev}` } } }))
      : [item];
  });
}
