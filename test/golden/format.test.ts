import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { icmpCode, icmpv6Code, inetProto } from '../../src/datatype/index.ts';
import { formatRule, formatRuleset } from '../../src/format/index.ts';
import {
  type Chain,
  type Family,
  type NamedSet,
  parse,
  type Ruleset,
  type Statement,
} from '../../src/model/index.ts';
import { requires, vectorsDirectory } from '../support/requirements.ts';

/**
 * Runs a shell script in a network namespace of its own, where lo is up. Its input comes over a socket, which nft
 * cannot open: it needs a pipe in front.
 */
function inNamespace(script: string, input: string): { readonly ok: boolean; readonly out: string } {
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['--net', 'sh', '-c', `ip link set lo up; ${script}`],
    {
      input,
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      timeout: 60_000,
    },
  );
  return { ok: status === 0, out: status === 0 ? stdout : stderr };
}

const separator = '--- nft text ---\n';
const listing = `nft -j list ruleset && printf '%s' '${separator}' && nft list ruleset`;

/** The chains, sets and maps of a ruleset by what names them. */
function declarations(ruleset: Ruleset): Map<string, Chain & NamedSet> {
  return new Map(
    ruleset.nftables.flatMap((item) =>
      Object.entries(item)
        .filter(([kind]) => ['chain', 'set', 'map'].includes(kind))
        .map(([kind, node]) => [`${kind} ${node.family} ${node.table} ${node.name}`, node]),
    ),
  );
}

/** What nft's JSON leaves out of a listing although its text has it, from what was loaded: devices and flags. */
function complete(listed: Ruleset, loaded: Ruleset): Ruleset {
  const known = declarations(loaded);
  for (const [key, node] of declarations(listed)) {
    const { dev, flags } = known.get(key) ?? {};
    Object.assign(node, dev !== undefined && { dev }, flags !== undefined && { flags });
  }
  return listed;
}

/** nft's text with what nft itself would read otherwise, or not at all, as this library writes it. */
function corrected(text: string): string {
  return text.replaceAll('\t\tpolicy = {  }\n', '').replace(/(ct status) (snat \| dnat)/, '$1 == $2');
}

/** Lines, with the elements of sets in the order of their text: the kernel's own order is another each time. */
function sorted(text: string): string[] {
  return text
    .replace(/\{ ([^{}]*) \}/g, (_, elements: string) => `{ ${elements.split(/,\s+/).sort().join(', ')} }`)
    .split('\n');
}

/** Our text is nft's, and nft makes the same ruleset from it. */
function assertSame(ours: string, text: string): void {
  assert.deepEqual(ours.split('\n'), corrected(text).split('\n'));
  const { ok, out } = inNamespace('cat | nft -f - && nft list ruleset', ours);
  assert.ok(ok, out);
  assert.deepEqual(sorted(corrected(out)), sorted(ours));
}

suite(
  'a listing of nft, formatted, is what nft itself prints',
  requires('vectors', 'root', 'netns', 'nft'),
  () => {
    const directory = join(vectorsDirectory, 'rulesets');
    let compared = 0;
    for (const file of readdirSync(directory)) {
      test(file, (t) => {
        const source = readFileSync(join(directory, file), 'utf8');
        const { ok, out } = inNamespace(`cat | nft -j -f - && ${listing}`, source);
        if (!ok) return t.skip(`nft does not load it here: ${out.split('\n')[0]}`);
        const [json = '', text = ''] = out.split(separator);
        const ours = formatRuleset(complete(parse(json), parse(source)));
        assertSame(ours, text);
        compared++;
        return undefined;
      });
    }
    test('most rulesets were compared', () => assert.ok(compared > 120, `only ${compared}`));
  },
);

test('every kind of set, map and object is what nft prints', requires('root', 'netns', 'nft'), () => {
  const source = readFileSync(new URL('format-declarations.nft', import.meta.url), 'utf8');
  const { ok, out } = inNamespace(`cat | nft -f - && ${listing}`, source);
  assert.ok(ok, out);
  const [json = '', text = ''] = out.split(separator);
  assertSame(formatRuleset(parse(json)), text);
});

test('every kind of rule is what nft prints', requires('root', 'netns', 'nft', 'nat', 'conntrack'), () => {
  const rules = readFileSync(new URL('format-rules.txt', import.meta.url), 'utf8');
  const script = `
    nft -f - <<'END'
table ip b { chain c { }; chain d { }; }
table ip6 b { chain c { }; }
table arp b { chain c { }; }
table bridge b { chain c { }; }
table netdev b { chain c { type filter hook ingress device lo priority 0; }; }
table inet b {
  set dyn { type ipv4_addr; size 100; flags dynamic,timeout; }
  map dynm { type ipv4_addr : mark; size 100; flags dynamic,timeout; }
  chain c { }; chain d { }
  chain n { type nat hook prerouting priority 0; }
}
END
    while read -r family chain rule; do
      printf 'add rule %s b %s %s\\n' "$family" "$chain" "$rule" | nft -f - || printf 'refused: %s\\n' "$rule" >&2
    done
    ${listing}`;
  const { ok, out } = inNamespace(script, rules);
  assert.ok(ok, out);
  const [json = '', text = ''] = out.split(separator);
  const declared = {
    nftables: [
      { chain: { family: 'netdev', table: 'b', name: 'c', dev: 'lo' } },
      { set: { family: 'inet', table: 'b', name: 'dyn', flags: ['dynamic', 'timeout'] } },
      { map: { family: 'inet', table: 'b', name: 'dynm', flags: ['dynamic', 'timeout'] } },
    ],
  } as const;
  const ours = formatRuleset(complete(parse(json), declared));
  assertSame(ours, text);
  const count = rules.trim().split('\n').length;
  const loaded = ours.split('\n').filter((line) => line.startsWith('\t\t')).length;
  assert.ok(loaded > count * 0.9, `this kernel took only ${loaded} of ${count} rules`);
});

interface Vector {
  readonly family: Family;
  readonly canonical: string;
  readonly expr: readonly Statement[];
  readonly expr_output: readonly Statement[] | null;
}

/** Symbols that newer versions of nft, whose words the vectors have, write as numbers. */
const numbers = [
  [/\b(?:protocol|l4proto|nexthdr)(?: !=| set)? (?:\{[^}]*\}|\S+)/g, inetProto],
  [/\bicmp code(?: !=)? (?:\{[^}]*\}|\S+)/g, icmpCode],
  [/\bicmpv6 code(?: !=)? (?:\{[^}]*\}|\S+)/g, icmpv6Code],
] as const;

/**
 * Folds what says the same. The vectors keep the order in which a test wrote a set's elements and its white
 * space; they are newer than the nft that is followed here, which writes frag-off in decimal and not the
 * usual burst of a limit.
 */
function fold(rule: string): string {
  let text = rule
    .replace(/\s+/g, ' ')
    .replace(/ - /g, '-')
    .replace(/ ?: | ?:(?=accept|drop)/g, ' : ')
    .replace(/ burst 5 packets/, '');
  for (const [place, type] of numbers) {
    text = text.replace(place, (match) =>
      match.replace(/(?<=[ ,{])[a-z][a-z0-9-]*/g, (word) => String(type.symbols?.get(word) ?? word)),
    );
  }
  if (text.includes('frag-off')) text = text.replace(/0x[0-9a-f]+/g, (hex) => String(Number(hex)));
  return text.replace(
    /\{ ?(.*?) ?\}/g,
    (_, elements: string) => `{ ${elements.split(/ ?, ?/).sort().join(', ')} }`,
  );
}

test('the shared rules are written as nft writes them', requires('vectors'), () => {
  // The vectors' times of day were written two hours ahead of UTC.
  const zone = process.env.TZ;
  process.env.TZ = 'UTC-2';
  try {
    const lines = readFileSync(join(vectorsDirectory, 'rules.jsonl'), 'utf8').trim().split('\n');
    const different = lines.flatMap((line) => {
      const { family, canonical, expr, expr_output } = JSON.parse(line) as Vector;
      const text = formatRule({ family, table: 't', chain: 'c', expr: expr_output ?? expr });
      return fold(text) === fold(canonical) ? [] : [{ canonical, text }];
    });
    assert.deepEqual(different, []);
    assert.ok(lines.length > 2000);
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});
