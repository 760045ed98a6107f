import { connect, formatRuleset, type ListScope, stringify } from '../index.ts';
import { type CliCommand, EXIT, UsageError } from './command.ts';
import { namespaceOption, netnsHelp, netnsOption, parseOptions } from './options.ts';

export const list: CliCommand = {
  name: 'list',
  summary: 'show what is in the kernel',
  help: `Usage: nftjs list [--json|--text] [--family F] [--table T] [--chain C | --set S] [--terse] [--netns NS]

Prints the ruleset as the kernel has it, as libnftables JSON or in nft's own syntax (the default).

Options:
  --json                  libnftables JSON, which \`nftjs apply\` takes back
  --text                  nft syntax, which \`nft -f\` takes back
  --family F              only this family: ip, ip6, inet, arp, bridge, netdev
  --table T               only this table
  --chain C               only this chain of the table
  --set S                 only this set or map of the table
  --terse                 sets and maps without their elements
${netnsHelp}

Example:
  nftjs list --json --family inet --table filter`,
  async run(args, io) {
    const { values } = parseOptions(
      args,
      {
        json: { type: 'boolean' },
        text: { type: 'boolean' },
        family: { type: 'string' },
        table: { type: 'string' },
        chain: { type: 'string' },
        set: { type: 'string' },
        terse: { type: 'boolean' },
        ...netnsOption,
      },
      [0, 0],
    );
    if (values.json && values.text) throw new UsageError('either --json or --text');
    if ((values.chain ?? values.set) !== undefined && values.table === undefined) {
      throw new UsageError('--chain and --set need --table');
    }
    await using nft = connect(namespaceOption(values.netns));
    const { family, table, chain, set, terse } = values;
    const ruleset = await nft.list({
      ...(family === undefined ? {} : { family: family as NonNullable<ListScope['family']> }),
      ...(table === undefined ? {} : { table }),
      ...(chain === undefined ? {} : { chain }),
      ...(set === undefined ? {} : { set }),
      ...(terse === undefined ? {} : { terse }),
    });
    io.out(values.json ? `${stringify(ruleset)}\n` : formatRuleset(ruleset));
    return EXIT.success;
  },
};
