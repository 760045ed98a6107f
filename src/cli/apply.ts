import { connect, reconcile } from '../index.ts';
import { type CliCommand, EXIT, UsageError } from './command.ts';
import { readRuleset } from './input.ts';
import { namespaceOption, netnsHelp, netnsOption, parseOptions } from './options.ts';

export const apply: CliCommand = {
  name: 'apply',
  summary: 'commit a file of commands as one transaction',
  help: `Usage: nftjs apply [--check | --reconcile] [--netns NS] FILE|-

Commits libnftables JSON, all of it or nothing:

  {"nftables": [ {"add": {"table": {"family": "inet", "name": "filter"}}}, … ]}

An object without a command is added, so what \`nft -j list ruleset\` prints can be applied as it is.
"-" reads standard input. Nothing is printed when all went well.

Options:
  --check                 have the kernel validate everything and commit nothing
  --reconcile             FILE says what is to be there: commit only what differs (\`nftjs diff\` shows it),
                          again when somebody else was faster
${netnsHelp}

Example:
  nft -j list ruleset | nftjs apply --netns blue -`,
  async run(args, io) {
    const { values, positionals } = parseOptions(
      args,
      { check: { type: 'boolean' }, reconcile: { type: 'boolean' }, ...netnsOption },
      [1, 1],
    );
    if (values.check && values.reconcile) throw new UsageError('either --check or --reconcile');
    const ruleset = await readRuleset(positionals[0] as string, io);
    await using nft = connect(namespaceOption(values.netns));
    if (values.check) await nft.check(ruleset);
    else if (values.reconcile) await reconcile(nft, ruleset);
    else await nft.commit(ruleset);
    return EXIT.success;
  },
};
