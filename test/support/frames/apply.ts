import { parseHost, parsePolicy, render } from '../../../src/uncloud/index.ts';
import { loadRuleset } from './load-ruleset.ts';
import { host, policy } from './network.ts';
import type { Rig } from './rig.ts';

export interface ApplyOptions {
  /** Whether the rules are made knowing which interfaces there are, as netdev chains need. Default true. */
  readonly interfaces?: boolean;
}

/** Puts the example policy in force on a rig. */
export function applyExample(rig: Rig, { interfaces = true }: ApplyOptions = {}): void {
  const parsed = parseHost(host);
  const { policy: valid, problems } = parsePolicy(policy, { host: parsed });
  if (problems.length > 0) throw new Error(`the example policy is wrong: ${JSON.stringify(problems)}`);
  const facts = interfaces ? { interfaces: rig.interfaces() } : {};
  loadRuleset(rig.netns, render({ host: parsed, policy: valid, facts }).ruleset);
}
