import type { Change, Command } from '../model/index.ts';
import { formatCommand } from './command.ts';
import { formatObject } from './ruleset.ts';

/**
 * A change in nft syntax, on one line, as a command that would make it and as `nft monitor` prints it:
 * `add rule inet filter input handle 7 tcp dport 22 accept`.
 *
 * What nft syntax cannot say stands there as a comment, `# not in nft syntax: …` and its JSON.
 */
export function formatChange({ action, object, after }: Change): string {
  if ('rule' in object && action !== 'delete') {
    const { handle, index: _, ...rule } = object.rule;
    const place = action === 'replace' ? handle : after;
    return formatCommand({
      [action]: { rule: { ...rule, ...(place === undefined ? {} : { handle: place }) } },
    } as Command);
  }
  if (action !== 'add' || 'element' in object)
    return formatCommand({ [action]: object } as unknown as Command);
  const text = formatObject(object);
  return text.startsWith('#') ? text : `add ${oneLine(text)}`;
}

/** A block on a line of its own; one without contents is its head. */
function oneLine(block: string): string {
  const [head = '', ...rest] = block.split('\n').map((line) => line.trim());
  const lines = rest.slice(0, -1).filter((line) => line !== '');
  if (lines.length === 0) return head.replace(/ \{$/, '');
  return `${head} ${lines.map((line) => (line.endsWith(';') ? line : `${line};`)).join(' ')} }`;
}
