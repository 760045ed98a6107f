import { connect, formatRuleset, stringify } from '../index.ts';
import { type CliCommand, EXIT, UsageError } from './command.ts';
import { namespaceOption, netnsHelp, parseOptions } from './options.ts';
import { checkForm, scopeHelp, scopeOf, shownOptions } from './scope.ts';

export const list: CliCommand = {
  name: 'list',
  summary: 'show what is in the kernel',
  help: `Usage: nftjs list [--json|--text] [--family F] [--table T] [--chain C | --set S] [--terse] [--netns NS]

Prints the ruleset as the kernel has it, as libnftables JSON or in nft's own syntax (the default).

Options:
  --json                  libnftables JSON, which \`nftjs apply\` takes back
  --text                  nft syntax, which \`nft -f\` takes back
${scopeHelp}
  --chain C               only this chain of the table
  --set S                 only this set or map of the table
  --terse                 sets and maps without their elements
${netnsHelp}

Example:
  nftjs list --json --family inet --table filter`,
  async run(args, io) {
    const { values } = parseOptions(
      args,
      { ...shownOptions, chain: { type: 'string' }, set: { type: 'string' }, terse: { type: 'boolean' } },
      [0, 0],
    );
    checkForm(values);
    if ((values.chain ?? values.set) !== undefined && values.table === undefined) {
      throw new UsageError('--chain and --set need --table');
    }
    await using nft = connect(namespaceOption(values.netns));
    const { chain, set, terse } = values;
    const ruleset = await nft.list({
      ...scopeOf(values),
      ...(chain === undefined ? {} : { chain }),
      ...(set === undefined ? {} : { set }),
      ...(terse === undefined ? {} : { terse }),
    });
    io.out(values.json ? `${stringify(ruleset)}\n` : formatRuleset(ruleset));
    return EXIT.success;
  },
};
