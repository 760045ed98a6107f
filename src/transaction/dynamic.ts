import type { ParsedCommand } from './command.ts';

/**
 * The commands with the flag `dynamic` on the sets that one of their rules changes: without it the kernel may
 * choose a structure that rules cannot write to. nft adds it in the same way, and not to maps.
 */
export function withDynamicSets(commands: readonly ParsedCommand[]): readonly ParsedCommand[] {
  const changed = new Set<string>();
  for (const { kind, node } of commands) {
    if (kind !== 'rule' || !Array.isArray(node.expr)) continue;
    for (const statement of node.expr) {
      const reference = statement?.set?.set;
      if (typeof reference === 'string') changed.add(placeOf(node, reference));
    }
  }
  if (changed.size === 0) return commands;
  return commands.map((command) => {
    const { kind, node } = command;
    if (kind !== 'set' || typeof node.name !== 'string' || !changed.has(placeOf(node, `@${node.name}`)))
      return command;
    const flags = [node.flags ?? []].flat();
    return flags.includes('dynamic')
      ? command
      : { ...command, node: { ...node, flags: [...flags, 'dynamic'] } };
  });
}

function placeOf({ family, table }: ParsedCommand['node'], reference: string): string {
  return `${family} ${table} ${reference}`;
}
