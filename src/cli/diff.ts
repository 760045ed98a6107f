import { type Command, connect, formatCommand, plan, stringify } from '../index.ts';
import { type CliCommand, EXIT, UsageError } from './command.ts';
import { readRuleset } from './input.ts';
import { namespaceOption, netnsHelp, netnsOption, parseOptions } from './options.ts';

export const diff: CliCommand = {
  name: 'diff',
  summary: 'show what would make the kernel agree with a file',
  help: `Usage: nftjs diff [--json] [--netns NS] FILE|-

Prints the transaction that \`nftjs apply --reconcile\` would commit; nothing is changed.

FILE says what is to be there: libnftables JSON with objects, as \`nftjs list --json\` prints it. The tables
that it has are complete: what they hold beside goes. Other tables are not looked at. State is not compared:
the values of counters, what a quota has used, how long an element still lives. The elements of a dynamic set
that has none in FILE are left alone.

Options:
  --json                  commands as libnftables JSON instead of nft syntax
${netnsHelp}

Exit codes: 0 nothing differs, 1 something does, 2 it could not be found out (standard error says why).

Example:
  nftjs list --json --table filter > filter.json
  nftjs diff filter.json`,
  async run(args, io) {
    const { values, positionals } = parseOptions(args, { json: { type: 'boolean' }, ...netnsOption }, [1, 1]);
    try {
      const desired = await readRuleset(positionals[0] as string, io);
      await using nft = connect(namespaceOption(values.netns));
      const { transaction } = await plan(nft, desired);
      if (values.json) io.out(`${stringify(transaction)}\n`);
      else for (const command of transaction.nftables) io.out(`${formatCommand(command as Command)}\n`);
      return transaction.nftables.length === 0 ? EXIT.success : EXIT.failure;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      io.err(`nftjs diff: ${error instanceof Error ? error.message : String(error)}\n`);
      return EXIT.usage;
    }
  },
};
