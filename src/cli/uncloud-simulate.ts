import { readFile } from 'node:fs/promises';
import { formatStatement, stringify } from '../index.ts';
import {
  type Decision,
  framesOf,
  parseHost,
  parsePolicy,
  type Simulated,
  simulate,
} from '../uncloud/index.ts';
import { EXIT, type Io, UsageError } from './command.ts';
import { readJson } from './input.ts';
import { parseOptions } from './options.ts';

export const simulateHelp = `Usage: nftjs uncloud simulate --host FILE --policy FILE --port IF (--frame HEX | --pcap FILE) [OPTIONS]

Tells what the policy does with frames that come in at a port: a private network namespace gets the bridge and the
rules, the frames go in, and the kernel's trace says what became of them. This host's network is not touched.
It needs root, and the kernel's VXLAN devices.

Options:
  --host FILE             this host, as for apply
  --policy FILE           the VMs, as for apply; - for standard input
  --port IF               where the frames come in: a VM's port, an uplink, or one that nobody lists
  --bridge NAME           the bridge of a port that nobody lists, where there are several
  --frame HEX             a frame from its destination MAC on; colons and spaces are ignored
  --pcap FILE             frames that tcpdump captured
  --steps                 every rule on the way as well
  --json                  an object a frame

Example:
  nftjs uncloud simulate --host host.json --policy policy.json --port v343a-0 --pcap attack.pcap`;

/** `nftjs uncloud simulate`. */
export async function runSimulate(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseOptions(
    args,
    {
      host: { type: 'string' },
      policy: { type: 'string' },
      port: { type: 'string' },
      bridge: { type: 'string' },
      frame: { type: 'string' },
      pcap: { type: 'string' },
      steps: { type: 'boolean' },
      json: { type: 'boolean' },
    },
    [0, 0],
  );
  const { port, bridge } = values;
  if (values.host === undefined || values.policy === undefined || port === undefined)
    throw new UsageError('--host, --policy and --port are needed');
  if ((values.frame === undefined) === (values.pcap === undefined))
    throw new UsageError('either --frame or --pcap is needed');

  const frames =
    values.frame === undefined ? framesOf(await readFile(values.pcap as string)) : [hexFrame(values.frame)];
  const host = parseHost(await readJson(values.host, io));
  const { policy, blocked, problems } = parsePolicy(await readJson(values.policy, io), { host });
  for (const { key, path, why } of problems) io.err(`uncloud: refused ${key}${path}: ${why}\n`);
  const results = await simulate({ host, policy, blocked, port, frames, ...(bridge && { bridge }) });
  for (const [index, result] of results.entries()) {
    if (values.json) io.out(`${stringify(json(result))}\n`);
    else io.out(text(result, results.length > 1 ? `${index + 1}: ` : '', values.steps === true));
  }
  return EXIT.success;
}

function hexFrame(text: string): Buffer {
  const hex = text.replace(/[\s:]/g, '');
  if (!/^([0-9a-f]{2})+$/i.test(hex)) throw new UsageError('--frame is not hexadecimal');
  return Buffer.from(hex, 'hex');
}

function json({ steps, ...result }: Simulated): object {
  return { ...result, steps: steps.map(({ packet: _, overrun: __, ...step }) => step) };
}

/** Sets of many VMs make long rules. */
const LONGEST = 240;

function decisionText({ family, table, chain, rule, after }: Decision): string {
  const place = `${family} ${table} ${chain}`;
  const behind = after === undefined ? '' : `, after ${after}`;
  if (rule === undefined) return `the policy of ${place}${behind}`;
  return `${place}${behind}: ${rule.length > LONGEST ? `${rule.slice(0, LONGEST)}…` : rule}`;
}

function text(
  { verdict, reaches, reachesHost, by, refused, steps }: Simulated,
  head: string,
  isWhole: boolean,
): string {
  const lines = [`${head}${verdict}, by ${by ? decisionText(by) : 'the bridge itself'}`];
  const to = [...reaches, ...(reachesHost ? ['this host'] : [])];
  if (to.length > 0) lines.push(`  to ${to.join(', ')}`);
  for (const [port, decision] of Object.entries(refused))
    lines.push(`  not to ${port}, by ${decisionText(decision)}`);
  if (isWhole) {
    for (const { family, table, chain, rule, type, verdict, policy } of steps) {
      const what = rule?.expr ? rule.expr.map(formatStatement).join(' ') : type;
      lines.push(
        `  ${family} ${table} ${chain}: ${what} -> ${policy ?? [verdict?.code, verdict?.chain].filter(Boolean).join(' ')}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
