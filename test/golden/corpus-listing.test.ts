import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { formatRuleset, type Ruleset, type RulesetElement, stringify } from '../../src/index.ts';
import { comparable } from '../kernel/comparable.ts';
import { type CorpusRule, corpusRules } from '../support/corpus.ts';
import { type Kernel, withKernel } from '../support/kernel.ts';
import { tableOf } from '../support/nft-oracle.ts';
import { requires } from '../support/requirements.ts';

// Times of day are local, here and for nft.
process.env.TZ = 'UTC-2';

/** Rules that are listed otherwise than by nft 1.0.6, and why. */
const otherwise: readonly (readonly [rule: RegExp, reason: string])[] = [
  [/icmp(v6)? (type \. icmp(v6)? )?code/, 'codes are numbers since nft 1.0.7'],
  [
    /^ether type ip6? ip6? saddr/,
    'the family bridge asks for meta protocol where the rule asks for the frame',
  ],
  [/ip dscp \. tcp dport|meta priority \. ip dscp/, 'nft writes a shift that it does not read'],
  [/ct label (!= )?\{/, 'nft leaves sets of labels out'],
  [/^(add|update) @(memory|tags) \{/, 'nft has no JSON of it'],
  [/^vlan id \. ip saddr/, 'without the type of the frame it would be another rule'],
  [/^vlan type/, 'the type of the frame is implied'],
  [/(icmp gateway|icmpv6 mtu) & 0xffff/, 'nft reads the mask as the width of the load'],
  [/^ip6 dscp \{ 3-9, 11 \}/, 'nft 1.0.6 compares the bytes in the wrong order'],
  [/^ip dscp \{ 3-9, 11 \}/, 'nft 1.0.6 does not shift what it reads back'],
  [/^tcp flags (!= fin,ack|& \(fin \| syn \| rst \| psh \| ack \| urg \| ecn)/, 'nft adds the flags up'],
  [/^icmp(v6)? type set/, 'nft takes two bytes of any transport header for a port'],
  [/^meta iiftype (<|>=)/, 'nft names no types of links at the ends of a range'],
  [/ct reply proto-src \{/, 'nft does not know the type'],
  [/^ct reply daddr 2001:db8::\/32/, 'nft takes the first bytes of an address for all of it'],
  [/^@th,0,32/, 'it is both ports'],
  [/^@ih,\d+,\d+ set|^@th,64,64/, 'nft reads the bytes in the other order, or numbers as signed'],
  [/^ip protocol 47 @th/, 'newer versions of nft know the header of GRE'],
  [/^ip dscp and 0x38/, 'nft does not find the field under two masks'],
  [/ip6 nexthdr icmpv6 icmpv6 type/, 'the next header need not be the transport header'],
  [/reject with tcp reset/, 'newer versions of nft list that it is TCP'],
];

/** Rules of which nft does not read the text that is made. */
const unreadable: readonly (readonly [rule: RegExp, reason: string])[] = [
  [/^ip protocol set|^ip6 nexthdr set/, 'nft takes the name of a protocol for its header'],
  [/^ip protocol 47 @th/, 'nft 1.0.6 does not know the header of GRE'],
  [/^ip6 dscp \{ 3-9, 11 \}/, 'opaque'],
  [/^(add|update) @\w+ \{.* : /, 'the kernel gives such a map a size, with which it takes no additions'],
];

const isExplained = (list: typeof otherwise, rule: string) => list.some(([pattern]) => pattern.test(rule));

/** Commands in nft syntax, on one line, that make a rule of the corpus in a table of its own. */
function commandsOf({ family, base, declarations, rule }: CorpusRule, index: number): string {
  const at = `${family} ${tableOf(index)}`;
  return [
    `add table ${at}`,
    `add chain ${at} c { ${base} }`,
    ...declarations.map((text) => text.replace(/^((?:ct )?\w+) (.*)$/, `add $1 ${at} $2`)),
    `add rule ${at} c ${rule}`,
  ].join('; ');
}

/** Loads what nft and the kernel take, one case a line, and says which those are. */
function loadEach({ netns }: Kernel, cases: ReadonlyMap<number, string>): number[] {
  const open = new Map(cases);
  for (;;) {
    const indices = [...open.keys()];
    const input = [...open.values()].join('\n');
    const inside = [`--net=${netns}`, 'sh', '-c', 'cat | nft -f -'];
    const { status, stderr } = spawnSync('nsenter', inside, { input, encoding: 'utf8', maxBuffer: 1 << 26 });
    if (status === 0) return indices;
    for (const [, line] of stderr.matchAll(/^\/dev\/stdin:(\d+):\S+ Error: /gm))
      open.delete(indices[Number(line) - 1] as number);
    assert.ok(open.size < indices.length, stderr);
  }
}

/** The rules of a listing by their tables. */
function rulesByTable(elements: readonly unknown[]): Map<string, unknown> {
  return new Map(
    (elements as { rule?: { table: string; expr: unknown } }[]).flatMap(({ rule }) =>
      rule === undefined ? [] : [[rule.table, rule.expr] as const],
    ),
  );
}

/** One table of a listing. */
function tableIn({ nftables }: Ruleset, name: string): Ruleset {
  return {
    nftables: nftables.filter((item) => {
      if ('metainfo' in item) return false;
      const [[kind, node]] = Object.entries(item) as [[string, { name: string; table: string }]];
      return (kind === 'table' ? node.name : node.table) === name;
    }) as RulesetElement[],
  };
}

/** So many cases share a namespace: the kernel holds 1024 chains at one hook. */
const together = 300;

suite('the corpus as nft loads it', requires('root', 'netns', 'nft', 'ip'), () => {
  const rules = corpusRules();
  for (let from = 0; from < rules.length; from += together) {
    const part = rules.slice(from, from + together);
    test(`from ${part[0]?.place} to ${part.at(-1)?.place}`, () =>
      withKernel(async (kernel) => {
        kernel.run('ip', ['link', 'set', 'lo', 'up']);
        const loaded = loadEach(kernel, new Map(part.map((rule, i) => [i, commandsOf(rule, i)])));
        const listing = await kernel.nft.list();
        const ours = rulesByTable(comparable(listing));
        const theirs = rulesByTable(comparable(kernel.json()));
        const wrong = loaded.flatMap((i) => {
          const { place, rule } = part[i] as CorpusRule;
          const [mine, nfts] = [ours.get(tableOf(i)), theirs.get(tableOf(i))];
          if (isDeepStrictEqual(mine, nfts) || isExplained(otherwise, rule)) return [];
          return [`${place}: ${rule}\n  ours: ${stringify({ mine })}\n  nft:  ${stringify({ nfts })}`];
        });
        assert.deepEqual(wrong, [], wrong.join('\n'));
        const readable = loaded.filter((i) => !isExplained(unreadable, (part[i] as CorpusRule).rule));
        await withKernel((copy) => {
          copy.run('ip', ['link', 'set', 'lo', 'up']);
          copy.load(readable.map((i) => formatRuleset(tableIn(listing, tableOf(i)))).join('\n'));
        });
      }));
  }
});
