import { quoted } from '../datatype/index.ts';
import { at, CompileError, checkName } from '../linearize/index.ts';
import type { Family } from '../model/index.ts';
import { families } from '../protocol/index.ts';
import type { ParsedCommand } from './command.ts';

/** The family of a command's object. */
export function familyOf({ node, path }: ParsedCommand): Family {
  const { family } = node;
  if (typeof family !== 'string' || !Object.hasOwn(families, family)) {
    throw new CompileError(at(path, 'family'), `expected one of ${Object.keys(families).join(', ')}`);
  }
  return family as Family;
}

/** A name that must be there. */
export function nameOf({ node, path }: ParsedCommand, key = 'name'): string {
  return checkName(node[key], at(path, key));
}

/** The longest name of a device (IFNAMSIZ), less its closing zero. */
const MAX_DEVICE = 15;

/** The devices that a chain or flowtable is bound to. */
export function devicesOf({ node, path }: ParsedCommand): readonly string[] {
  const { dev } = node;
  const names: readonly unknown[] = dev === undefined ? [] : Array.isArray(dev) ? dev : [dev];
  return names.map((name) => checkName(name, at(path, 'dev'), MAX_DEVICE));
}

/** A handle, where one is given. */
export function handleOf({ node, path }: ParsedCommand): bigint | undefined {
  const { handle } = node;
  if (handle === undefined) return undefined;
  const number =
    typeof handle === 'bigint' || (typeof handle === 'number' && Number.isSafeInteger(handle))
      ? BigInt(handle)
      : 0n;
  if (number <= 0n || number >> 64n !== 0n)
    throw new CompileError(at(path, 'handle'), 'expected the number that the kernel gave the object');
  return number;
}

/** Bits of flags that are given by name, one or a list. */
export function flagsOf(command: ParsedCommand, table: Readonly<Record<string, number>>): number | undefined {
  const { flags } = command.node;
  if (flags === undefined) return undefined;
  let bits = 0;
  for (const flag of Array.isArray(flags) ? flags : [flags]) {
    if (typeof flag !== 'string' || !Object.hasOwn(table, flag)) {
      throw new CompileError(
        at(command.path, 'flags'),
        `${quoted(flag)}: expected some of ${Object.keys(table).join(', ')}`,
      );
    }
    bits |= table[flag] as number;
  }
  return bits;
}
