import { spawnSync } from 'node:child_process';
import { type Facts, parseHost, parsePolicy, render } from '../../src/uncloud/index.ts';
import { loadRuleset } from '../../test/support/frames/load-ruleset.ts';

/**
 * Puts a policy in force in the network namespace at `netns`.
 *
 * @param host, policy - parsed JSON in the formats of `nftjs/uncloud`
 * @param facts - what the namespace has; found out where absent
 * @throws Error when any VM of the policy is refused, with all the reasons
 */
export function applyPolicy(netns: string, host: unknown, policy: unknown, facts = factsOf(netns)): void {
  const description = parseHost(host);
  const { policy: valid, problems } = parsePolicy(policy, { host: description });
  if (problems.length > 0) throw new Error(problems.map((problem) => JSON.stringify(problem)).join('\n'));
  loadRuleset(netns, render({ host: description, policy: valid, facts }).ruleset);
}

/** The interfaces in the namespace at `netns`, and whose ports they are. */
export function factsOf(netns: string): Facts {
  const { stdout, stderr, status } = spawnSync('nsenter', [`--net=${netns}`, 'ip', '-j', 'link', 'show'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`ip link show: ${stderr}`);
  const links: { ifname: string; master?: string }[] = JSON.parse(stdout);
  return {
    interfaces: links.map(({ ifname, master }) => ({
      ifname,
      ...(master !== undefined && { bridge: master }),
    })),
  };
}
