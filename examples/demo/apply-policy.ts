import type { Connection } from '../../src/index.ts';
import {
  type Facts,
  factsOf,
  parseHost,
  parsePolicy,
  type Rendering,
  render,
} from '../../src/uncloud/index.ts';

/** What {@link applyPolicy} does otherwise than the command line would. */
export interface Change {
  /** What the kernel has; found out where absent. */
  readonly facts?: Facts;
  /** The form that the rules take. */
  readonly form?: typeof render;
}

/**
 * Puts a policy in force where `nft` is connected to.
 *
 * @param host, policy - parsed JSON in the formats of `nftjs/uncloud`
 * @throws Error when any VM of the policy is refused, with all the reasons
 */
export async function applyPolicy(
  nft: Connection,
  host: unknown,
  policy: unknown,
  { facts, form = render }: Change = {},
): Promise<Rendering> {
  const description = parseHost(host);
  const { policy: valid, problems } = parsePolicy(policy, { host: description });
  if (problems.length > 0) throw new Error(problems.map((problem) => JSON.stringify(problem)).join('\n'));
  const rendering = form({ host: description, policy: valid, facts: facts ?? (await factsOf(nft)) });
  await nft.commit(rendering.ruleset);
  return rendering;
}
