import { NOTHING } from '../applied.ts';
import { list, object, text, version } from '../check.ts';
import { hash } from '../hash.ts';
import { type Host, parseHost } from '../host.ts';
import { canonical } from '../import/write.ts';
import { type Policy, type PolicyResult, parsePolicy } from '../policy.ts';
import { type Problem, Refused, UncloudError } from '../problem.ts';
import { inputHash } from '../render.ts';
import { KINDS, overlaid, type Records } from './records.ts';

/** What one host is to come to. */
export interface HostPlan {
  /** The host's description, as it was given. */
  readonly host: unknown;
  /** The hash of what is in force there before, or `none`. */
  readonly from: string;
  /** The hash of what will be. */
  readonly to: string;
  /** Records that are not as the policy has them: the last good one, or `null` where there was none. */
  readonly instead: Records;
  /** Ports of refused VMs: nothing passes there. */
  readonly blocked: readonly string[];
}

/**
 * What the hosts of a site are to come to: everything that a push needs, and what the next plan starts from.
 * The same input gives the same plan.
 */
export interface Plan {
  readonly version: 1;
  /** Of all that follows: see {@link hash}. */
  readonly hash: string;
  readonly policy: Records;
  readonly hosts: Readonly<Record<string, HostPlan>>;
}

/** What one host is sent. */
export interface Document {
  readonly version: 1;
  readonly host: unknown;
  readonly policy: Records;
  readonly blocked: readonly string[];
  /** What it has to come to, by its own reckoning. */
  readonly hash: string;
}

/** A plan, and what it leaves out. */
export interface PlanResult {
  readonly plan: Plan;
  /** What was refused, by host: a record that is wrong is so for all, but no VM may take a host's own names. */
  readonly problems: Readonly<Record<string, readonly Problem[]>>;
}

/** Reads a policy's records, without a look into them. */
function recordsOf(value: unknown): Records {
  try {
    const fields = object(value, '', ['version', ...KINDS]);
    version(fields.version, '.version');
    return Object.fromEntries(KINDS.map((kind) => [kind, object(fields[kind] ?? {}, `.${kind}`)])) as Records;
  } catch (error) {
    if (error instanceof Refused) throw new UncloudError('policy', error.path, error.message);
    throw error;
  }
}

interface Resolved {
  readonly to: string;
  readonly instead: Records;
  readonly blocked: readonly string[];
  readonly problems: readonly Problem[];
}

/** Where a problem's record is: `distributed-firewall/vm/343a` is `343a` of `vms`. */
function placeOf({ key }: Problem): [kind: keyof Records, id: string] | undefined {
  const [, kind, id] = /^distributed-firewall\/(\w+)\/(.+)$/s.exec(key) ?? [];
  const found = KINDS.find((name) => name === `${kind}s`);
  return found === undefined || id === undefined ? undefined : [found, id];
}

/**
 * Finds the records that a host can have: each that is refused is replaced by the last good one, or left out. What
 * is left is a policy that validation takes as it is, so that the host comes to the same without knowing more.
 */
function resolve(host: Host, policy: Records, previous: Records | undefined): Resolved {
  const before = previous && parsePolicy(previous, { host }).policy;
  const first = parsePolicy(policy, { host, ...(before && { previous: before }) });
  const problems = [...first.problems];
  const instead: Record<keyof Records, Record<string, unknown>> = {
    vms: {},
    groups: {},
    networks: {},
    filters: {},
  };
  const kept = new Set(first.kept);
  for (let result: PolicyResult = first; result.problems.length > 0; ) {
    for (const problem of result.problems) {
      const place = placeOf(problem);
      if (place === undefined) throw new UncloudError(problem.key, problem.path, problem.why);
      const [kind, id] = place;
      const isTried = Object.hasOwn(instead[kind], id);
      const isKept = kept.has(kind === 'vms' ? id : `${kind.slice(0, -1)}/${id}`);
      instead[kind][id] = !isTried && isKept ? (previous?.[kind][id] ?? null) : null;
    }
    result = parsePolicy(overlaid(policy, instead), { host });
    problems.push(...result.problems.filter((one) => !problems.some(({ key }) => key === one.key)));
  }
  const good: Policy = parsePolicy(overlaid(policy, instead), { host }).policy;
  const listed = new Set(Object.values(good.vms).flatMap(({ nics }) => nics.map(({ ifname }) => ifname)));
  const blocked = first.blocked.filter((port) => !listed.has(port));
  return { to: inputHash({ host, policy: good, blocked }), instead, blocked, problems };
}

/**
 * Plans what hosts are to come to.
 *
 * @param hosts - their descriptions by name, as {@link parseHost} reads them
 * @param policy - as {@link parsePolicy} reads it
 * @param previous - the plan that was pushed before: what is refused now keeps its record of then, and each host
 *   starts from what it came to then. A host that it does not have starts from nothing.
 * @throws UncloudError when a host's description or the policy as a whole cannot be read
 */
export function planHosts(
  hosts: Readonly<Record<string, unknown>>,
  policy: unknown,
  previous?: Plan,
): PlanResult {
  const records = recordsOf(policy);
  // Most hosts are described alike, and have the same to do.
  const known = new Map<string, Resolved>();
  const problems: Record<string, readonly Problem[]> = {};
  const planned = Object.keys(hosts)
    .sort()
    .map((name): [string, HostPlan] => {
      const described = hosts[name];
      const last = previous && Object.hasOwn(previous.hosts, name) ? previous.hosts[name] : undefined;
      const key = canonical([described, last?.instead ?? null]);
      let resolved = known.get(key);
      if (resolved === undefined) {
        const before = previous && last && overlaid(previous.policy, last.instead);
        resolved = resolve(hostOf(name, described), records, before);
        known.set(key, resolved);
      }
      const { to, instead, blocked } = resolved;
      if (resolved.problems.length > 0) problems[name] = resolved.problems;
      return [name, { host: described, from: last?.to ?? NOTHING, to, instead, blocked }];
    });
  const body = { version: 1, policy: records, hosts: Object.fromEntries(planned) } as const;
  return { plan: { ...body, hash: hash(body) }, problems };
}

function hostOf(name: string, described: unknown): Host {
  try {
    return parseHost(described);
  } catch (error) {
    if (error instanceof UncloudError) throw new UncloudError(`host ${name}`, error.path, error.why);
    throw error;
  }
}

/** A plan as it is kept in a file. */
export function planText(plan: Plan): string {
  return canonical(plan);
}

/**
 * Reads a plan back.
 *
 * @throws UncloudError where it is not what {@link planText} wrote
 */
export function parsePlan(value: unknown): Plan {
  try {
    const fields = object(value, '', ['version', 'hash', 'policy', 'hosts']);
    if (fields.version !== 1) throw new Refused('.version', 'an unknown version (1 is known)');
    const { hash: said, ...body } = fields;
    if (hash(body) !== said) throw new Refused('.hash', 'the plan is not what its hash says');
    return value as Plan;
  } catch (error) {
    if (error instanceof Refused) throw new UncloudError('plan', error.path, error.message);
    throw error;
  }
}

/** What a host of a plan is sent. */
export function documentOf({ policy }: Plan, { host, instead, blocked, to }: HostPlan): Document {
  return { version: 1, host, policy: overlaid(policy, instead), blocked, hash: to };
}

/**
 * Reads what a host was sent.
 *
 * @throws UncloudError where it is not what {@link documentOf} makes
 */
export function parseDocument(value: unknown): Document {
  try {
    const fields = object(value, '', ['version', 'host', 'policy', 'blocked', 'hash']);
    if (fields.version !== 1) throw new Refused('.version', 'an unknown version (1 is known)');
    list(fields.blocked, '.blocked', Number.MAX_SAFE_INTEGER).forEach((port, i) => {
      text(port, `.blocked[${i}]`);
    });
    text(fields.hash, '.hash');
    return value as Document;
  } catch (error) {
    if (error instanceof Refused) throw new UncloudError('desired', error.path, error.message);
    throw error;
  }
}
