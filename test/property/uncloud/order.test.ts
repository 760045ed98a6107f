import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Chain, Rule, Statement } from '../../../src/index.ts';
import { parseHost, parsePolicy, type Rendering, render } from '../../../src/uncloud/index.ts';
import type { NicRecord } from '../../support/reference/index.ts';
import { seed } from '../../support/seed.ts';
import { Random } from './random.ts';
import { scene } from './scene.ts';

const RUNS = Number(process.env.NFTJS_RUNS ?? 30);

type Node = Record<string, unknown>;

const IIFNAME = JSON.stringify({ meta: { key: 'iifname' } });
const SADDR = JSON.stringify({ payload: { protocol: 'ether', field: 'saddr' } });

/** The rules of one of the tables by chain, and its named sets' elements. */
class Rules {
  readonly chains = new Map<string, (readonly Statement[])[]>();
  readonly sets = new Map<string, readonly unknown[]>();
  readonly bases: Chain[] = [];

  constructor({ ruleset }: Pick<Rendering, 'ruleset'>, family: 'bridge' | 'netdev') {
    for (const command of ruleset.nftables) {
      const added = 'add' in command ? (command.add as unknown as Record<string, Node>) : {};
      const [[kind, node] = ['', {}]] = Object.entries(added);
      if (node.family !== family) continue;
      if (kind === 'chain') {
        this.chains.set(node.name as string, []);
        if (node.hook) this.bases.push(node as unknown as Chain);
      }
      if (kind === 'set' || kind === 'map') this.sets.set(node.name as string, node.elem as unknown[]);
      if (kind === 'rule') this.chains.get(node.chain as string)?.push((node as unknown as Rule).expr ?? []);
    }
  }

  /** What a set has, be it written in the rule or named there. */
  elements(right: unknown): readonly unknown[] {
    if (typeof right === 'string' && right.startsWith('@')) {
      const elements = this.sets.get(right.slice(1));
      assert.ok(elements, `${right} is no set of the table`);
      return elements;
    }
    const set = (right as Node | null)?.set;
    return Array.isArray(set) ? set : [right];
  }
}

/** The fields that an expression is made of, in order. */
const parts = (expression: unknown): string[] => {
  const concat = (expression as Node).concat;
  return (Array.isArray(concat) ? concat : [expression]).map((part) => JSON.stringify(part));
};

/**
 * Every way from the hook to an accept that a frame from `port` may take when nothing is known of it but its
 * port: whatever else a rule asks may be so or not.
 *
 * @param mapsAreEmpty - as verdict maps are to a frame under way while the table is replaced
 * @returns the ways on which the source MAC was never compared with the port's own
 */
function unprovedAccepts(rules: Rules, { ifname, mac }: NicRecord, mapsAreEmpty = false): string[] {
  const found: string[] = [];
  const comesBackFrom = new Map<string, boolean>();
  /** Chains that a frame may leave before their end, back to where it came from. */
  const returning = new Set<string>();

  /** What a match says: certainly not, perhaps, and whether it proves the source. */
  const decide = (left: unknown, op: string, right: unknown): { possible: boolean; proves: boolean } => {
    const fields = parts(left);
    const at = fields.indexOf(IIFNAME);
    if (at === -1) return { possible: true, proves: false };
    assert.ok(op === '==' || op === 'in', `${op} on an interface`);
    const tuples = rules
      .elements(right)
      .map((element) => (fields.length === 1 ? [element] : ((element as Node).concat as unknown[])));
    const mine = tuples.filter((tuple) => tuple[at] === ifname);
    const source = fields.indexOf(SADDR);
    return {
      possible: mine.length > 0,
      proves: mine.length > 0 && source !== -1 && mine.every((tuple) => tuple[source] === mac),
    };
  };

  /** Goes where a verdict of a chain says; tells whether a frame may come to the statement behind it. */
  const follow = (verdict: Node, chain: string, proved: boolean, way: readonly string[]): boolean => {
    if ('accept' in verdict && !proved) found.push(way.join(' > '));
    const target = ((verdict.goto ?? verdict.jump) as { target?: string } | undefined)?.target;
    const comesBack = target === undefined || walk(target, proved, way);
    if ('return' in verdict || ('goto' in verdict && comesBack)) returning.add(chain);
    return comesBack && !['accept', 'drop', 'return', 'goto'].some((end) => end in verdict);
  };

  /** Walks a chain; tells whether a frame may come back from it. */
  const walk = (chain: string, provedBefore: boolean, way: readonly string[]): boolean => {
    const key = `${chain} ${provedBefore}`;
    const known = comesBackFrom.get(key);
    if (known !== undefined) return known;
    comesBackFrom.set(key, true);
    const bodies = rules.chains.get(chain);
    assert.ok(bodies, `chain ${chain} is not there`);
    let isOpen = true;
    for (const [index, expr] of bodies.entries()) {
      if (!isOpen) break;
      const here = [...way, `${chain}[${index}]`];
      let proved = provedBefore;
      /** Whether a frame may come to the next statement, and whether one may leave for the next rule. */
      let [isInside, isOutside] = [true, false];
      for (const statement of expr as readonly Node[]) {
        if (!isInside) break;
        if ('match' in statement) {
          const { op, left, right } = statement.match as { op: string; left: unknown; right: unknown };
          const { possible, proves } = decide(left, op, right);
          isOutside ||= !possible || parts(left).join() !== IIFNAME;
          isInside = possible;
          proved ||= proves;
        } else if ('vmap' in statement) {
          const { key, data } = statement.vmap as { key: unknown; data: unknown };
          const isPort = parts(key).join() === IIFNAME;
          const pairs = mapsAreEmpty ? [] : (rules.elements(data) as [unknown, Node][]);
          const mine = isPort ? pairs.filter(([element]) => element === ifname) : pairs;
          const ends = mine.map(([, verdict]) => follow(verdict, chain, proved, here));
          isInside = ends.includes(true);
          isOutside ||= !isPort || mine.length === 0;
        } else isInside = follow(statement, chain, proved, here);
      }
      isOpen = isInside || isOutside;
    }
    const comesBack = isOpen || returning.has(chain);
    comesBackFrom.set(key, comesBack);
    return comesBack;
  };

  // The hooks that frames come in by; there one chain decides.
  const deciding = rules.bases.filter(
    ({ name, dev }) =>
      /^(prerouting|vm_ingress\/.*)$/.test(name) && (dev === undefined || [dev].flat().includes(ifname)),
  );
  assert.equal(deciding.length, 1, `${ifname}: one chain has to decide`);
  for (const base of deciding) walk(base.name, false, []);
  return found;
}

suite('the rules of random policies', () => {
  for (const sets of ['anonymous', 'named', 'auto'] as const) {
    test(`accept nothing before the source is the port's own: ${sets} sets`, () => {
      let ports = 0;
      for (let run = 0; run < RUNS; run++) {
        const drawn = scene(new Random(seed + run), sets);
        const host = parseHost(drawn.host);
        const { policy, blocked } = parsePolicy(drawn.policy, { host });
        const interfaces = ['p0', 'p1', 'p2', 'q0', 'q1', 'q2'].map((ifname) => ({
          ifname,
          bridge: ifname.startsWith('p') ? 'br100' : 'br200',
        }));
        for (const ibrname of [false, true]) {
          const rendering = render({ host, policy, blocked, facts: { ibrname, interfaces } });
          for (const nic of Object.values(policy.vms).flatMap(({ nics }) => nics)) {
            const rules = new Rules(rendering, host.bridges[nic.bridge]?.backend ?? 'bridge');
            ports++;
            assert.deepEqual(unprovedAccepts(rules, nic), [], JSON.stringify(drawn));
            assert.deepEqual(unprovedAccepts(rules, nic, true), [], JSON.stringify(drawn));
          }
        }
      }
      assert.ok(ports > RUNS * 4, 'too few ports');
    });
  }

  test('the test sees an accept that comes too early', () => {
    const host = parseHost({ bridges: { br100: {} } });
    const nic = { ifname: 'p0', bridge: 'br100', mac: '02:00:00:00:00:01', ipv4: ['10.0.0.1/32'] };
    const { policy } = parsePolicy({ vms: { a: { nics: [nic] } } }, { host });
    const { ruleset } = render({ host, policy });
    const spoiled = ruleset.nftables.map((command) => {
      if (!('add' in command) || !('rule' in command.add) || command.add.rule.chain !== 'vm_arp')
        return command;
      const expr = [...(command.add.rule.expr ?? []).slice(0, -1), { accept: null }];
      return { add: { rule: { ...command.add.rule, expr } } };
    });
    const found = unprovedAccepts(new Rules({ ruleset: { nftables: spoiled as never } }, 'bridge'), nic);
    assert.deepEqual(found, ['prerouting[0] > vm[0] > vm_arp[0]']);
    const unguarded = ruleset.nftables.filter(
      (command) => !JSON.stringify(command).includes('"right":"@ports"}},{"drop"'),
    );
    assert.deepEqual(unprovedAccepts(new Rules({ ruleset: { nftables: unguarded } }, 'bridge'), nic, true), [
      'prerouting[1]',
    ]);
  });
});
