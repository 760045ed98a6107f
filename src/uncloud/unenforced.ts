import type { Context } from './context.ts';
import type { Group } from './group.ts';
import type { Policy } from './policy.ts';
import type { Problem } from './problem.ts';

const STATELESS = 'stateless: every frame is judged by itself, answers by swapped ports and addresses';

/** What groups want that this kernel, or the backend of a bridge, does not give. */
export function unenforced(context: Context, vms: Policy['vms']): Problem[] {
  const { host, facts, policy } = context;
  const problems: Problem[] = [];
  const inUse = new Set<string>();
  const why = {
    bridge: context.stateful ? undefined : 'this kernel does not track connections on bridges',
    netdev: 'backend netdev does not track connections',
  };
  const stateless = new Map<string, string>();
  for (const { nics } of Object.values(vms)) {
    for (const { groups, bridge } of nics) {
      const known = Object.hasOwn(host.bridges, bridge) ? host.bridges[bridge] : undefined;
      if (!known) continue;
      for (const name of groups) {
        inUse.add(name);
        const reason = why[known.backend];
        if (reason !== undefined && saysAnything(policy.groups[name])) stateless.set(name, reason);
      }
    }
  }
  for (const name of [...inUse].sort()) {
    const key = `distributed-firewall/group/${name}`;
    const reason = stateless.get(name);
    if (reason !== undefined) problems.push({ key, path: '', why: `${STATELESS}; ${reason}` });
    if (facts.reject === true) continue;
    const { rules = [], default: fallback = {} } = policy.groups[name] ?? {};
    for (const [i, { action }] of rules.entries()) {
      if (action === 'reject') problems.push({ key, path: `.rules[${i}].action`, why: CANNOT_REJECT });
    }
    for (const direction of ['in', 'out'] as const) {
      if (fallback[direction] === 'reject') {
        problems.push({ key, path: `.default.${direction}`, why: CANNOT_REJECT });
      }
    }
  }
  return problems;
}

const CANNOT_REJECT = 'drops instead: this kernel cannot reject on bridges';

function saysAnything(group: Group | undefined): boolean {
  return group !== undefined && (group.rules.length > 0 || Object.keys(group.default).length > 0);
}
