import type { Chain, Rule, Statement } from '../index.ts';
import { elements, type Findings, type Patient } from './doctor-finding.ts';
import { TABLE } from './render.ts';

/** Our chains' priorities in family bridge (see `render`): what comes before sees frames unjudged. */
const PREROUTING = -300;

/** What other tables do where our frames pass: their drops hold beside our accepts, and some ways go around us. */
export function* foreignChains({ ruleset, host, nics }: Patient): Findings {
  const devices = new Set([
    ...nics.map(({ ifname }) => ifname),
    ...Object.values(host.bridges).flatMap(({ uplinks }) => uplinks),
  ]);
  const chains = elements<Chain>(ruleset, 'chain');
  const rules = elements<Rule>(ruleset, 'rule');
  for (const chain of chains) {
    const { family, table, name, hook, policy, dev } = chain;
    if (table === TABLE || hook === undefined || !concerns(chain, devices)) continue;
    const where = `chain ${family} ${table} ${name} (${hook}${dev ? ` of ${[dev].flat().join(', ')}` : ''})`;
    const statements = reachable(chain, rules).flatMap(({ expr = [] }) => expr);
    const does = (...kinds: string[]) =>
      kinds.filter((kind) => statements.some((statement) => holds(statement, kind)));
    const around = family === 'netdev' || family === 'bridge' ? does('fwd', 'dup') : [];
    if (around.length > 0) {
      yield {
        severity: 'defeats',
        where,
        what: `its rules have ${around.join(' and ')}: frames go out elsewhere without passing ours`,
        remedy: 'take those rules away, or keep them off VM ports',
      };
    }
    if (family === 'bridge' && statements.some(isBroute)) {
      yield {
        severity: 'defeats',
        where,
        what: 'its rules set meta broute: such frames are routed, not bridged',
        remedy: 'take those rules away, or keep them off VM ports',
      };
    }
    if (
      family === 'bridge' &&
      hook === 'prerouting' &&
      Number(chain.prio) < PREROUTING &&
      statements.some(rewrites)
    ) {
      yield {
        severity: 'defeats',
        where,
        what: 'its rules rewrite frames before ours judge them',
        remedy: `a priority above ${PREROUTING}`,
      };
    }
    const drops = [...(policy === 'drop' ? ['policy drop'] : []), ...does('drop', 'reject', 'queue')];
    if (drops.length > 0) {
      yield {
        severity: 'loses',
        where,
        what: `it has ${drops.join(', ')}: that holds whatever ours accept`,
        remedy: 'look whether it means VM traffic',
      };
    }
  }
}

const HOOKS: Readonly<Record<string, readonly string[]>> = {
  bridge: ['prerouting', 'forward', 'postrouting'],
  netdev: ['ingress', 'egress'],
  inet: ['ingress', 'prerouting', 'forward', 'postrouting'],
  ip: ['prerouting', 'forward', 'postrouting'],
  ip6: ['prerouting', 'forward', 'postrouting'],
};

function concerns({ family, hook, dev }: Chain, devices: ReadonlySet<string>): boolean {
  if (!HOOKS[family]?.includes(hook as string)) return false;
  return dev === undefined || [dev].flat().some((device) => devices.has(device));
}

/** The rules of a chain and of those that it leads to. */
function reachable({ family, table, name }: Chain, rules: readonly Rule[]): Rule[] {
  const seen = new Set([name]);
  const found: Rule[] = [];
  for (const chain of seen) {
    for (const rule of rules) {
      if (rule.family !== family || rule.table !== table || rule.chain !== chain) continue;
      found.push(rule);
      for (const [, target] of JSON.stringify(rule.expr ?? []).matchAll(
        /"(?:goto|jump)":\{"target":("[^"]*")/g,
      ))
        seen.add(JSON.parse(target as string));
    }
  }
  return found;
}

/** Whether a statement is of the kind, or a verdict map has one. Names in a rule cannot look like that. */
const holds = (statement: Statement, kind: string): boolean =>
  kind in statement ||
  ('vmap' in statement && new RegExp(`"${kind}":null`).test(JSON.stringify(statement.vmap)));

function mangled(statement: Statement): object | undefined {
  return 'mangle' in statement ? (statement.mangle.key as object) : undefined;
}

const isBroute = (statement: Statement): boolean =>
  JSON.stringify(mangled(statement) ?? null).includes('"broute"');

const rewrites = (statement: Statement): boolean => 'payload' in (mangled(statement) ?? {});
