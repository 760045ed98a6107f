import { type Instruction, understood } from '../bytecode/index.ts';
import type { Family } from '../model/index.ts';

/** NFT_RULE_COMPAT_F_INV: any protocol but this. */
const INVERTED = 2;

/** Where each family's packets say which protocol follows: what xtables means by a protocol. */
const FIELDS: Readonly<Record<string, readonly [base: string, offset: number, length: number]>> = {
  ip: ['network', 9, 1],
  ip6: ['network', 6, 1],
  bridge: ['link', 12, 2],
};

/**
 * What the kernel asks of a rule with extensions of xtables in it, and does not tell when it lists the rule: the
 * protocol that the rule is for. Its own comparisons say it.
 */
export function compatOf(
  instructions: readonly Instruction[],
  family: Family,
): { readonly protocol: number; readonly flags: number } | undefined {
  const isExtension = (one: Instruction) =>
    one.name === 'opaque' && (one.expression === 'match' || one.expression === 'target');
  if (!instructions.some(isExtension)) return undefined;
  for (const [i, instruction] of instructions.entries()) {
    const next = instructions[i + 1];
    if (next === undefined || !asksForProtocol(understood(instruction), family)) continue;
    const compared = understood(next);
    if (compared.name !== 'cmp' || !(compared.data instanceof Uint8Array)) continue;
    if (compared.op !== 'eq' && compared.op !== 'neq') continue;
    const protocol = compared.data.reduce((number, byte) => number * 256 + byte, 0);
    return { protocol, flags: compared.op === 'neq' ? INVERTED : 0 };
  }
  return undefined;
}

function asksForProtocol(load: Instruction, family: Family): boolean {
  if (load.name === 'meta') return load.key === 'l4proto' && load.dreg !== undefined;
  if (load.name !== 'payload' || load.dreg === undefined) return false;
  const [base, offset, length] = FIELDS[family] ?? [];
  return load.base === base && load.offset === offset && load.len === length;
}
