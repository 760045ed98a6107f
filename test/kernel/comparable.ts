import type { Ruleset } from '../../src/index.ts';
import { elementsOf } from '../support/kernel.ts';

type Node = Record<string, unknown>;

/**
 * A listing as far as nft 1.0.6 prints it. Its JSON has
 *
 * - no comments of tables, chains and objects, no devices, no `auto-merge`, no flag `dynamic`
 * - flags of tables in a form that is no JSON of the schema
 * - masks of flags as bare lists, where later versions write `{"|": […]}`
 *
 * The elements of hash sets have an order of the kernel's own, and what remains of a timeout is another in
 * each listing.
 */
export function comparable(ruleset: Ruleset): unknown[] {
  return elementsOf(ruleset).map((element) => {
    const [[kind, node]] = Object.entries(element) as [[string, Node]];
    const { comment, dev: _dev, flags, 'auto-merge': _merge, ...rest } = node;
    const isSet = kind === 'set' || kind === 'map';
    const kept = {
      ...(kind === 'rule' || isSet ? { comment } : {}),
      ...(kind === 'table' ? {} : { flags: isSet ? withoutDynamic(flags) : flags }),
    };
    return { [kind]: plain(defined({ ...rest, ...kept }), alternatives) };
  });
}

function withoutDynamic(flags: unknown): unknown {
  const others = [flags ?? []].flat().filter((flag) => flag !== 'dynamic');
  return others.length === 0 ? undefined : others;
}

/** `{"|": [a, b]}` as the bare list. */
function alternatives(value: Node): unknown {
  const [[key, list] = [], ...others] = Object.entries(value);
  return key === '|' && others.length === 0 ? list : value;
}

/** A listing without what each kernel numbers by itself. */
export function withoutHandles(ruleset: Ruleset): unknown[] {
  return elementsOf(ruleset).map((element) => {
    const [[kind, node]] = Object.entries(element) as [[string, Node]];
    const { handle: _, ...rest } = node;
    return { [kind]: plain(rest) };
  });
}

/** nft's text with the elements of sets in the order of their text, and without what remains of timeouts. */
export function sortedText(text: string): string[] {
  return text
    .replaceAll(/,\n\s+/g, ', ')
    .replaceAll(/ expires \w+/g, '')
    .split('\n')
    .map((line) =>
      line.replace(/\{ (.+) \}/, (_, list: string) => `{ ${list.split(', ').sort().join(', ')} }`),
    );
}

function defined(node: Node): Node {
  return Object.fromEntries(Object.entries(node).filter(([, value]) => value !== undefined));
}

/** Sorts what is a set, and leaves out what passes with time. */
function plain(value: unknown, rewrite: (node: Node) => unknown = (node) => node): unknown {
  if (Array.isArray(value)) return value.map((item) => plain(item, rewrite));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => key !== 'expires')
    .map(([key, part]) => {
      const read = plain(part, rewrite);
      return [key, (key === 'elem' || key === 'set') && Array.isArray(read) ? sorted(read) : read];
    });
  return rewrite(Object.fromEntries(entries));
}

function sorted(list: readonly unknown[]): unknown[] {
  const text = (item: unknown) =>
    JSON.stringify(item, (_, part) => (typeof part === 'bigint' ? `${part}n` : part));
  return [...list].sort((a, b) => (text(a) < text(b) ? -1 : 1));
}
