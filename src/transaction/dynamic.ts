import type { ParsedCommand } from './command.ts';

/** The size that the kernel gives to a set that has none, once a rule writes to it. */
const GIVEN_SIZE = 65535;

/**
 * The commands with sets and maps declared so that those of their rules that change them can: a size has the
 * kernel choose a structure that rules cannot write to, unless the set is dynamic.
 *
 * Sets get the flag `dynamic`, as nft gives it to them. To maps nft does not; but a map without the flag, which
 * has the size that the kernel gives, was declared without one, and is so again.
 */
export function withDynamicSets(commands: readonly ParsedCommand[]): readonly ParsedCommand[] {
  const changed = new Set<string>();
  for (const { kind, node } of commands) {
    if (kind !== 'rule' || !Array.isArray(node.expr)) continue;
    for (const statement of node.expr) {
      const set = statement?.set?.set;
      if (typeof set === 'string') changed.add(placeOf('set', node, set));
      const map = statement?.map?.map;
      if (typeof map === 'string') changed.add(placeOf('map', node, map));
    }
  }
  if (changed.size === 0) return commands;
  return commands.map((command) => {
    const { kind, node } = command;
    if (typeof node.name !== 'string' || !changed.has(placeOf(kind, node, `@${node.name}`))) return command;
    const flags = [node.flags ?? []].flat();
    if (flags.includes('dynamic')) return command;
    if (kind === 'set') return { ...command, node: { ...node, flags: [...flags, 'dynamic'] } };
    const { size, ...unsized } = node;
    const isGiven = size === GIVEN_SIZE && !flags.includes('timeout') && node.timeout === undefined;
    return isGiven ? { ...command, node: unsized } : command;
  });
}

function placeOf(kind: string, { family, table }: ParsedCommand['node'], reference: string): string {
  return `${kind} ${family} ${table} ${reference}`;
}
