import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { connect } from '../../src/index.ts';
import { parse, type Ruleset, stringify } from '../../src/model/index.ts';
import { corpusRulesets } from '../support/corpus.ts';
import { Namespace } from '../support/frames/namespace.ts';
import { requires } from '../support/requirements.ts';

// Times of day are local, here and for nft.
process.env.TZ = 'UTC-2';

type Node = Record<string, unknown>;

/** A listing as lines: without handles and what passes with time, sets in the order of their text. */
function lines({ nftables }: Ruleset): string[] {
  return nftables.filter((item) => !('metainfo' in item)).map((item) => stringify(plain(item) as object));
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'handle' && key !== 'expires')
      .map(([key, part]) => [
        key,
        (key === 'elem' || key === 'set') && Array.isArray(part) ? sorted(part) : plain(part),
      ]),
  );
}

const text = (item: unknown) => (typeof item === 'object' && item !== null ? stringify(item) : String(item));
const sorted = (list: readonly unknown[]) => list.map(plain).sort((a, b) => (text(a) < text(b) ? -1 : 1));

/** The listing with what nft 1.0.6 leaves out of it, from the ruleset's text: devices, flags of tables. */
function complete(listing: Ruleset, loaded: string): Ruleset {
  const devices = new Map(
    [...loaded.matchAll(/chain (\S+) \{\s+type \S+ hook \S+ device "(\S+)"/g)].map(([, name, dev]) => [
      name,
      dev,
    ]),
  );
  for (const item of listing.nftables) {
    const { table, chain } = item as Partial<Record<string, Node>>;
    const dev = devices.get(chain?.name as string);
    if (chain?.hook && dev) chain.dev = dev;
    if (table?.flags) table.flags = ['dormant'];
  }
  return listing;
}

/** A namespace whose loopback device is up, and nft in it. */
function open(): { readonly namespace: Namespace; readonly list: () => Ruleset } {
  const namespace = new Namespace();
  namespace.run('ip', ['link', 'set', 'lo', 'up']);
  return { namespace, list: () => parse(namespace.run('nft', ['-j', 'list', 'ruleset'])) };
}

suite('rulesets of the corpus', requires('root', 'netns', 'nft', 'conntrack', 'nat'), () => {
  const rulesets = corpusRulesets();

  test('there are enough', () => assert.ok(rulesets.size >= 100, `only ${rulesets.size}`));

  for (const [name, loaded] of rulesets) {
    test(name, async () => {
      const theirs = open();
      using _theirs = theirs.namespace;
      theirs.namespace.run('sh', ['-c', 'cat | nft -f -'], loaded);
      const listing = theirs.list();
      const ours = open();
      using _ours = ours.namespace;
      await using connection = connect({ netns: ours.namespace.path });
      await connection.commit(complete(theirs.list(), loaded));
      assert.deepEqual(lines(ours.list()), lines(listing));
    });
  }
});
