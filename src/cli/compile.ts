import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { type CompileLine, compileCommands, compileLine, parse } from '../index.ts';
import { type CliCommand, EXIT, type Io } from './command.ts';
import { readRuleset } from './input.ts';
import { parseOptions } from './options.ts';

export const compile: CliCommand = {
  name: 'compile',
  summary: 'print the bytecode that rules become',
  help: `Usage: nftjs compile FILE|-
       nftjs compile --jsonl

Prints bytecode in libnftnl's notation, as \`nft --debug=netlink\` does. Needs neither privileges nor a kernel.

FILE is libnftables JSON, as for \`nftjs apply\`: its rules are compiled against the sets it declares.

Options:
  --jsonl   a rule in each line of standard input, and a line out for each:
            {"family","table","chain","base","sets","objects","expr"} → {"bytecode":[…]} or {"error":"…"}
            "base" is the chain's definition in nft's words, "sets" and "objects" what the rule may name

Example:
  echo '{"family":"ip","table":"t","chain":"c","expr":[{"accept":null}]}' | nftjs compile --jsonl`,
  async run(args, io) {
    const jsonl = args.includes('--jsonl');
    const { positionals } = parseOptions(args, { jsonl: { type: 'boolean' } }, jsonl ? [0, 0] : [1, 1]);
    if (jsonl) return compileLines(io);
    const ruleset = await readRuleset(positionals[0] as string, io);
    for (const lines of compileCommands(ruleset)) io.out(`${lines.join('\n')}\n\n`);
    return EXIT.success;
  },
};

/** Compiles line by line; a line that cannot be compiled says so and does not end the others. */
async function compileLines(io: Io): Promise<number> {
  const lines = createInterface({ input: Readable.from(io.stdin), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    if (line.trim() !== '') io.out(`${JSON.stringify(answer(line))}\n`);
  }
  return EXIT.success;
}

function answer(line: string): { bytecode: string[] } | { error: string } {
  try {
    return { bytecode: compileLine(parse(line) as unknown as CompileLine) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
