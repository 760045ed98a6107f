import {
  type Change,
  type Commit,
  connect,
  type Expression,
  formatChange,
  type MonitorEvent,
  stringify,
} from '../index.ts';
import { type CliCommand, EXIT } from './command.ts';
import { interruptible } from './interruptible.ts';
import { namespaceOption, netnsHelp, parseOptions } from './options.ts';
import { checkForm, scopeHelp, scopeOf, shownOptions } from './scope.ts';

export const monitor: CliCommand = {
  name: 'monitor',
  summary: 'print changes of the ruleset as they happen',
  help: `Usage: nftjs monitor [--json|--text] [--family F] [--table T] [--netns NS]

Prints a line for each change that anybody commits, and behind those of one commit who it was. Ends when it is
interrupted. When changes come faster than they are printed, a line on standard error says that some are missing.

Options:
  --json                  an object a line for each commit: {"commit": {"generation": …, "process": {"pid": …,
                          "name": …}, "changes": [{"add": {"rule": {…}}, "after": HANDLE}, …]}}, where "after" is
                          the rule before an added one; {"overrun": {"generation": …}} where some are missing
  --text                  commands in nft syntax (the default)
${scopeHelp}
${netnsHelp}

Example:
  nftjs monitor --json --family inet --table filter`,
  async run(args, io) {
    const { values } = parseOptions(args, shownOptions, [0, 0]);
    checkForm(values);
    await using nft = connect(namespaceOption(values.netns));
    const events = nft.monitor(scopeOf(values));
    await interruptible(events, (event) => {
      if (values.json) io.out(`${eventJson(event)}\n`);
      else if (event.overrun)
        io.err(`nftjs monitor: changes up to generation ${event.generation} are missing\n`);
      else io.out(commitText(event));
    });
    return EXIT.success;
  },
};

function eventJson(event: MonitorEvent): string {
  const { generation } = event;
  if (event.overrun) return stringify({ overrun: { generation } });
  const { process, partial } = event;
  const changes = event.changes.map(({ action, object, after }) => ({ [action]: object, after }));
  return stringify({ commit: { generation, process, ...(partial ? { partial } : {}), changes } });
}

function commitText({ changes, generation, process }: Commit): string {
  const lines = changes.flatMap(single).map(formatChange);
  if (process !== undefined)
    lines.push(`# new generation ${generation} by process ${process.pid} (${process.name})`);
  return lines.map((line) => `${line}\n`).join('');
}

/** A change for each element, as nft prints them. */
function single(change: Change): Change[] {
  const { object } = change;
  if (!('element' in object)) return [change];
  const { elem, ...place } = object.element;
  return (elem as readonly Expression[]).map((one) => ({
    ...change,
    object: { element: { ...place, elem: [one] } },
  }));
}
