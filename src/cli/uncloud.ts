import {
  type Command,
  type Connection,
  connect,
  formatCommand,
  formatRuleset,
  type Ruleset,
  stringify,
} from '../index.ts';
import {
  apply,
  completed,
  factsOf,
  type PolicyResult,
  parseHost,
  parsePolicy,
  planOf,
  type Rendering,
  render,
  renderFaithful,
} from '../uncloud/index.ts';
import { type CliCommand, EXIT, type Io, UsageError } from './command.ts';
import { readJson } from './input.ts';
import { namespaceOption, netnsHelp, netnsOption, parseOptions } from './options.ts';
import { agentHelp, runAgent } from './uncloud-agent.ts';
import { doctorHelp, runDoctor } from './uncloud-doctor.ts';
import { runSimulate, simulateHelp } from './uncloud-simulate.ts';
import { importHelp, runImport, runTeardown, runWait, teardownHelp, waitHelp } from './uncloud-store.ts';

const ACTIONS = ['render', 'apply', 'check'] as const;

/** What has options of its own. */
const OTHERS: Readonly<Record<string, (args: readonly string[], io: Io) => Promise<number>>> = {
  simulate: runSimulate,
  doctor: runDoctor,
  agent: runAgent,
  wait: runWait,
  import: runImport,
  teardown: runTeardown,
};

export const uncloud: CliCommand = {
  name: 'uncloud',
  summary: 'the VM firewall: render, apply, check or simulate a policy; examine a host; follow a store',
  help: `Usage: nftjs uncloud render|apply|check --host FILE --policy FILE [OPTIONS]
       nftjs uncloud simulate|doctor|agent|wait|import|teardown …, see below

Turns a description of this host and of its VMs into rules of three tables of its own, all called uncloud.
Nothing outside of them is read or changed.

  render    print the rules; reads no kernel unless --netns says which
  apply     put them in force by the smallest transaction; nothing is sent where nothing differs
  check     have the kernel validate them, and say what apply would change

All three print the same SHA-256 hash for the same host and policy. A VM whose record is not valid is left
out, or keeps its record of --previous; standard error says which, where and why, and the exit code is 1.

Options:
  --host FILE             this host: {"bridges": {"br100": {"uplinks": ["vxlan100"], "shared": true}}}
  --policy FILE           the VMs: {"vms": {"343a": {"nics": […]}}}
  --previous FILE         the policy that was in force before
  --faithful              the rules of the article that the firewall comes from, one for each address
  --json                  render as libnftables JSON instead of nft syntax
${netnsHelp}

Example:
  nftjs uncloud render --host host.json --policy policy.json

${simulateHelp}

${doctorHelp}

${agentHelp}

${waitHelp}

${importHelp}

${teardownHelp}`,
  async run(args, io) {
    const [first = '', ...rest] = args;
    const other = Object.hasOwn(OTHERS, first) ? OTHERS[first] : undefined;
    if (other !== undefined) return other(rest, io);
    const { values, positionals } = parseOptions(
      args,
      {
        host: { type: 'string' },
        policy: { type: 'string' },
        previous: { type: 'string' },
        faithful: { type: 'boolean' },
        json: { type: 'boolean' },
        ...netnsOption,
      },
      [1, 1],
    );
    const action = ACTIONS.find((name) => name === positionals[0]);
    if (action === undefined)
      throw new UsageError(
        `expected ${[...ACTIONS, ...Object.keys(OTHERS)].join(', ')}, not ${positionals[0]}`,
      );
    if (values.host === undefined || values.policy === undefined)
      throw new UsageError('--host and --policy are needed');

    const described = parseHost(await readJson(values.host, io));
    const json = await readJson(values.policy, io);
    const before = values.previous === undefined ? undefined : await readJson(values.previous, io);
    await using nft =
      action === 'render' && values.netns === undefined ? undefined : connect(namespaceOption(values.netns));
    const facts = nft && (await factsOf(nft));
    const host = completed(described, facts ?? {});
    const previous = before === undefined ? undefined : parsePolicy(before, { host }).policy;
    const result = parsePolicy(json, { host, ...(previous && { previous }) });
    report(result, io);

    const { policy, blocked } = result;
    const desired = { host, policy, blocked, ...(facts && { facts }) };
    const rendering = (values.faithful ? renderFaithful : render)(desired);
    if (facts) {
      for (const port of rendering.uncovered)
        io.err(`uncloud: ${port} does not exist yet: apply again when it does\n`);
    }
    for (const { key, path, why } of rendering.unenforced)
      io.err(`uncloud: NOT ENFORCED ${key}${path}: ${why}\n`);
    if (!nft || action === 'render') print(rendering, values.json === true, io);
    else {
      io.out(`hash ${rendering.hash}\n`);
      if (action === 'check') await check(nft, rendering, io);
      else await apply(nft, rendering);
    }
    return result.problems.length > 0 ? EXIT.failure : EXIT.success;
  },
};

function report({ problems, kept, blocked }: PolicyResult, io: Io): void {
  for (const { key, path, why } of problems) io.err(`uncloud: refused ${key}${path}: ${why}\n`);
  for (const vm of kept) io.err(`uncloud: ${vm} keeps its record of the previous policy\n`);
  for (const port of blocked) io.err(`uncloud: nothing passes on ${port}, a port of a refused VM\n`);
}

function print({ ruleset, hash }: Rendering, json: boolean, io: Io): void {
  if (json)
    io.out(
      `${stringify({ nftables: [{ metainfo: { json_schema_version: 1, hash } }, ...ruleset.nftables] })}\n`,
    );
  else io.out(`# hash ${hash}\n${text(ruleset)}`);
}

/** The transaction in nft syntax: tables are added and deleted, so that they are new, and made. */
function text({ nftables }: Ruleset): string {
  const cleared = nftables.findLastIndex((command) => 'delete' in command) + 1;
  const clearing = nftables
    .slice(0, cleared)
    .flatMap((command) =>
      Object.entries(command as Record<string, { table: { family: string; name: string } }>).map(
        ([verb, { table }]) => `${verb} table ${table.family} ${table.name}\n`,
      ),
    );
  return clearing.join('') + formatRuleset({ nftables: nftables.slice(cleared) });
}

/** Changes that are told one by one. */
const MOST_TOLD = 40;

/** Has the kernel validate what apply would send, and tells it. */
async function check(nft: Connection, rendering: Rendering, io: Io): Promise<void> {
  const { transaction } = await planOf(nft, rendering);
  const { nftables } = transaction;
  if (nftables.length === 0) {
    io.out('valid, and in force already\n');
    return;
  }
  await nft.check(transaction);
  io.out(`valid; apply would send ${nftables.length} commands:\n`);
  for (const command of nftables.slice(0, MOST_TOLD)) io.out(`${formatCommand(command as Command)}\n`);
  if (nftables.length > MOST_TOLD) io.out(`… and ${nftables.length - MOST_TOLD} more\n`);
}
