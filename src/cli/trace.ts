import {
  connect,
  formatRule,
  formatStatement,
  stringify,
  type TraceInterface,
  type TracePacket,
  type TraceStep,
} from '../index.ts';
import { type CliCommand, EXIT } from './command.ts';
import { interruptible } from './interruptible.ts';
import { namespaceOption, netnsHelp, netnsOption, parseOptions } from './options.ts';

export const trace: CliCommand = {
  name: 'trace',
  summary: 'print the way of marked packets through the rules',
  help: `Usage: nftjs trace [--json] [--netns NS]

Prints a line for each rule that a packet meets, once a rule has marked it with \`meta nftrace set 1\`, and what
was decided. Ends when it is interrupted. When packets come faster than they are printed, a line on standard
error says that some steps are missing.

Options:
  --json                  an object a line: {"trace": {"id": …, "rule": …, "verdict": …}}, bytes in hexadecimal
${netnsHelp}

Example:
  nft insert rule inet filter input tcp dport 443 meta nftrace set 1; nftjs trace`,
  async run(args, io) {
    const { values } = parseOptions(args, { json: { type: 'boolean' }, ...netnsOption }, [0, 0]);
    await using nft = connect(namespaceOption(values.netns));
    await interruptible(nft.trace(), (event) => {
      if (event.overrun) io.err('nftjs trace: steps are missing\n');
      else io.out((values.json ? [stepJson(event)] : stepLines(event)).map((line) => `${line}\n`).join(''));
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

/** The lines that `nft monitor trace` has for a step: of the first one also the packet itself. */
function stepLines(step: TraceStep): string[] {
  const { id, family, table, chain, packet } = step;
  const head = `trace id ${id.toString(16).padStart(8, '0')} ${family} ${table} ${chain}`;
  const lines = packet === undefined ? [] : [`${head} packet: ${packetText(packet)}`];
  const isEnd = step.type === 'rule' && step.handle === undefined;
  return isEnd ? lines : [...lines, `${head} ${stepText(step)}`];
}

function interfaceText(key: 'iif' | 'oif', value: TraceInterface | undefined): string[] {
  return value === undefined ? [] : [`${key} ${value.name === undefined ? value.index : `"${value.name}"`}`];
}

function packetText({ iif, oif, fields }: TracePacket): string {
  return [...interfaceText('iif', iif), ...interfaceText('oif', oif), ...fields.map(formatStatement)].join(
    ' ',
  );
}

function stepText({ type, handle, rule, verdict, policy, mark }: TraceStep): string {
  const decided =
    verdict && [verdict.code, ...(verdict.chain === undefined ? [] : [verdict.chain])].join(' ');
  const marked = mark ? ` meta mark 0x${mark.toString(16).padStart(8, '0')}` : '';
  if (type === 'policy') return `policy ${policy}${marked}`;
  if (type === 'return') return `verdict ${decided}${marked}`;
  const what = rule === undefined ? `unknown rule handle ${handle}` : `rule ${formatRule(rule)}`;
  return `${what} (verdict ${decided})`;
}
