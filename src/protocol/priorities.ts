import type { FamilyName } from './families.ts';
import type { HookName } from './hooks.ts';
import { ProtocolLookupError } from './lookup.ts';

/** A name for a base chain's priority. */
export interface NamedPriority {
  readonly name: string;
  readonly value: number;
  readonly families: readonly FamilyName[];
  /** The hooks where nft reads the name; all where absent. */
  readonly hooks?: readonly HookName[];
  /** The hooks where nft prints it, where these are fewer: older versions do not read it elsewhere. */
  readonly printedHooks?: readonly HookName[];
}

const routed: readonly FamilyName[] = ['ip', 'ip6', 'inet'];

/**
 * Priorities with a name (nft's std_prios; nft(8), "Standard priority names"). `dstnat` at output and
 * `srcnat` at input since nft 1.0.9.
 */
export const priorities: readonly NamedPriority[] = Object.freeze([
  { name: 'raw', value: -300, families: routed },
  { name: 'mangle', value: -150, families: routed },
  {
    name: 'dstnat',
    value: -100,
    families: routed,
    hooks: ['prerouting', 'output'],
    printedHooks: ['prerouting'],
  },
  { name: 'filter', value: 0, families: [...routed, 'arp', 'netdev'] },
  { name: 'security', value: 50, families: routed },
  {
    name: 'srcnat',
    value: 100,
    families: routed,
    hooks: ['postrouting', 'input'],
    printedHooks: ['postrouting'],
  },
  { name: 'dstnat', value: -300, families: ['bridge'], hooks: ['prerouting'] },
  { name: 'filter', value: -200, families: ['bridge'] },
  { name: 'out', value: 100, families: ['bridge'], hooks: ['output'] },
  { name: 'srcnat', value: 300, families: ['bridge'], hooks: ['postrouting'] },
]);

/** How far from a named priority nft still prints one as `filter + 10`. */
const reach = 10;

/**
 * A priority as libnftables JSON or a person gives it: a number, a name, or a name with an offset
 * (`filter - 10`).
 *
 * @throws ProtocolLookupError listing the names that the family and hook have
 */
export function parsePriority(family: FamilyName, hook: HookName, priority: string | number): number {
  const legal = priorities.filter(
    (named) => named.families.includes(family) && (named.hooks?.includes(hook) ?? true),
  );
  const value = typeof priority === 'number' ? priority : readPriority(priority, legal);
  if (value !== undefined && value === (value | 0)) return value;
  const valid = ['an integer', ...legal.map((named) => named.name)];
  throw new ProtocolLookupError(`priority at the ${family} hook ${hook}`, String(priority), valid);
}

function readPriority(text: string, legal: readonly NamedPriority[]): number | undefined {
  const match = /^\s*(?:(?<name>[a-z]+)\s*(?:(?<sign>[+-])\s*(?<offset>\d+))?|(?<number>-?\d+))\s*$/.exec(
    text,
  );
  const { name, sign, offset, number } = match?.groups ?? {};
  if (number !== undefined) return Number(number);
  const found = legal.find((named) => named.name === name);
  return found && found.value + Number(`${sign ?? '+'}${offset ?? 0}`);
}

/** A priority as nft lists it: by name, with an offset of up to 10, or else the number. */
export function formatPriority(family: FamilyName, hook: HookName, value: number): string {
  const near = priorities.find(
    (named) =>
      named.families.includes(family) &&
      ((named.printedHooks ?? named.hooks)?.includes(hook) ?? true) &&
      Math.abs(value - named.value) <= reach,
  );
  if (!near) return String(value);
  const offset = value - near.value;
  return offset === 0 ? near.name : `${near.name} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)}`;
}
