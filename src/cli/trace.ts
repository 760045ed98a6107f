import { connect, formatTrace, stringify, type TraceStep } from '../index.ts';
import { type CliCommand, EXIT } from './command.ts';
import { interruptible } from './interruptible.ts';
import { namespaceOption, netnsHelp, netnsOption, parseOptions } from './options.ts';
import { scopeHelp, scopeOf, scopeOptions } from './scope.ts';

export const trace: CliCommand = {
  name: 'trace',
  summary: 'print the way of marked packets through the rules',
  help: `Usage: nftjs trace [--json] [--family F] [--table T] [--netns NS]

Prints a line for each rule that a packet meets, once a rule has marked it with \`meta nftrace set 1\`, and what
was decided. Ends when it is interrupted. When packets come faster than they are printed, a line on standard
error says that some steps are missing.

Options:
  --json                  an object a line: {"trace": {"id": …, "rule": …, "verdict": …}}, bytes in hexadecimal
${scopeHelp}
${netnsHelp}

Example:
  nft insert rule inet filter input tcp dport 443 meta nftrace set 1; nftjs trace`,
  async run(args, io) {
    const { values } = parseOptions(
      args,
      { json: { type: 'boolean' }, ...scopeOptions, ...netnsOption },
      [0, 0],
    );
    await using nft = connect(namespaceOption(values.netns));
    await interruptible(nft.trace(scopeOf(values)), (event) => {
      if (event.overrun) io.err('nftjs trace: steps are missing\n');
      else {
        const text = values.json ? stepJson(event) : formatTrace(event);
        if (text !== '') io.out(`${text}\n`);
      }
    });
    return EXIT.success;
  },
};

const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex');

function stepJson({ overrun: _, packet, ...step }: TraceStep): string {
  if (packet === undefined) return stringify({ trace: step });
  const { link, network, transport, ...rest } = packet;
  const bytes = { link: hex(link), network: hex(network), transport: hex(transport) };
  return stringify({ trace: { ...step, packet: { ...rest, ...bytes } } });
}
