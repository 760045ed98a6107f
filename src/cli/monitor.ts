import {
  type Change,
  connect,
  type Element,
  formatObject,
  type MonitorOptions,
  stringify,
} from '../index.ts';
import { type CliCommand, EXIT, UsageError } from './command.ts';
import { interruptible } from './interruptible.ts';
import { namespaceOption, netnsHelp, netnsOption, parseOptions } from './options.ts';

export const monitor: CliCommand = {
  name: 'monitor',
  summary: 'print changes of the ruleset as they happen',
  help: `Usage: nftjs monitor [--json|--text] [--family F] [--table T] [--netns NS]

Prints a line for each change that anybody commits, and behind those of one commit who it was. Ends when it is
interrupted. When changes come faster than they are printed, a line on standard error says that some are missing.

Options:
  --json                  libnftables JSON, an object a line; commits have no line of their own
  --text                  commands in nft syntax (the default)
  --family F              only this family: ip, ip6, inet, arp, bridge, netdev
  --table T               only this table
${netnsHelp}

Example:
  nftjs monitor --json --family inet --table filter`,
  async run(args, io) {
    const { values } = parseOptions(
      args,
      {
        json: { type: 'boolean' },
        text: { type: 'boolean' },
        family: { type: 'string' },
        table: { type: 'string' },
        ...netnsOption,
      },
      [0, 0],
    );
    if (values.json && values.text) throw new UsageError('either --json or --text');
    await using nft = connect(namespaceOption(values.netns));
    const { family, table } = values;
    const events = nft.monitor({
      ...(family === undefined ? {} : { family: family as NonNullable<MonitorOptions['family']> }),
      ...(table === undefined ? {} : { table }),
    });
    const line = values.json ? changeJson : changeText;
    await interruptible(events, (event) => {
      if (event.overrun) {
        io.err(`nftjs monitor: changes up to generation ${event.generation} are missing\n`);
        return;
      }
      const lines = event.changes.flatMap(single).map(line);
      const { generation, process } = event;
      if (!values.json && process !== undefined) {
        lines.push(`# new generation ${generation} by process ${process.pid} (${process.name})`);
      }
      io.out(lines.map((text) => `${text}\n`).join(''));
    });
    return EXIT.success;
  },
};

/** A change for each element, as nft prints them. */
function single(change: Change): Change[] {
  const { object } = change;
  if (!('element' in object)) return [change];
  const elements = object.element.elem as readonly unknown[];
  return elements.map((element) => ({
    ...change,
    object: { element: { ...object.element, elem: { set: [element] } as unknown as Element['elem'] } },
  }));
}

function changeJson({ action, object }: Change): string {
  return stringify({ [action]: object });
}

function changeText({ action, object, after }: Change): string {
  if ('rule' in object) {
    const { family, table, chain, handle } = object.rule;
    if (action === 'delete') return `delete rule ${family} ${table} ${chain} handle ${handle}`;
    const text = formatObject(object);
    if (after === undefined || text.startsWith('#')) return command(action, text);
    const place = `rule ${family} ${table} ${chain} `;
    return command(action, `${place}handle ${after} ${text.slice(place.length)}`);
  }
  if (action === 'rename' && 'chain' in object) {
    const { family, table, name, newname } = object.chain;
    return `rename chain ${family} ${table} ${name} ${newname}`;
  }
  if ('element' in object) {
    const { set } = object.element.elem as { set: Element['elem'] };
    return command(action, formatObject({ element: { ...object.element, elem: set } }));
  }
  if (action === 'delete') {
    const [kind, { family, table, name }] = Object.entries(object)[0] as [string, Record<string, string>];
    return ['delete', kind, family, table, name].filter((word) => word !== undefined).join(' ');
  }
  return command(action, oneLine(formatObject(object)));
}

/** A comment, for what nft has no words for, stays one. */
function command(action: string, text: string): string {
  return text.startsWith('#') ? text : `${action} ${text}`;
}

/** A block on a line of its own; one without contents is its head. */
function oneLine(block: string): string {
  const [head = '', ...rest] = block.split('\n').map((line) => line.trim());
  const lines = rest.slice(0, -1).filter((line) => line !== '');
  if (lines.length === 0) return head.replace(/ \{$/, '');
  return `${head} ${lines.map((line) => (line.endsWith(';') ? line : `${line};`)).join(' ')} }`;
}
