import { apply } from './apply.ts';
import { bench } from './bench.ts';
import { type CliCommand, EXIT, type Io, UsageError } from './command.ts';
import { compile } from './compile.ts';
import { diff } from './diff.ts';
import { list } from './list.ts';
import { monitor } from './monitor.ts';
import { reset } from './reset.ts';
import { trace } from './trace.ts';
import { uncloud } from './uncloud.ts';

const commands: readonly CliCommand[] = [apply, diff, list, reset, monitor, trace, compile, uncloud, bench];

const help = `Usage: nftjs COMMAND [OPTIONS] [ARGUMENTS]

The Linux firewall (nf_tables) without the nft program.

Commands:
${commands.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`).join('\n')}

\`nftjs COMMAND --help\` explains a command.

Exit codes: 0 done, 1 refused (standard error says by whom, and where), 2 the command line is wrong.
`;

/** Runs the command line and returns its exit code. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    io.err(help);
    return EXIT.usage;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    io.out(help);
    return EXIT.success;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    io.err(`nftjs: there is no command ${name}: expected ${commands.map((c) => c.name).join(', ')}\n`);
    return EXIT.usage;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    io.out(`${command.help}\n`);
    return EXIT.success;
  }
  try {
    return await command.run(rest, io);
  } catch (error) {
    const usage = error instanceof UsageError;
    io.err(`nftjs ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    if (usage) io.err(`\`nftjs ${name} --help\` shows what is right.\n`);
    return usage ? EXIT.usage : EXIT.failure;
  }
}
