import type { Ruleset } from '../index.ts';
import type { Observation } from './doctor-observe.ts';
import type { Host } from './host.ts';
import type { Nic } from './policy.ts';

/**
 * - `defeats`: something passes that the policy forbids
 * - `loses`: something is lost that the policy allows, or may be
 * - `weakens`: the kernel lacks something, and the policy holds less finely
 */
export type Severity = 'defeats' | 'loses' | 'weakens';

/** Something about a host that stands against the policy. */
export interface Finding {
  readonly severity: Severity;
  /** What it is about: an interface, a chain, a setting. */
  readonly where: string;
  readonly what: string;
  readonly remedy: string;
}

/** A host with the policy that is, or is to be, in force there. */
export interface Patient extends Observation {
  readonly host: Host;
  readonly nics: readonly Nic[];
}

/** What one look at a host finds. */
export type Findings = Generator<Finding>;

/** The elements of one kind in a listing. */
export function elements<T>({ nftables }: Ruleset, kind: string): T[] {
  return nftables.flatMap((element) => {
    const node = (element as unknown as Record<string, T>)[kind];
    return node === undefined ? [] : [node];
  });
}
