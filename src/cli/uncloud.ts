import {
  type Connection,
  connect,
  formatRuleset,
  NetlinkSocketError,
  type Ruleset,
  stringify,
} from '../index.ts';
import {
  appliedHash,
  type Facts,
  factsOf,
  type PolicyResult,
  parseHost,
  parsePolicy,
  type Rendering,
  render,
  renderFaithful,
  TABLE,
  withHash,
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
  apply     put them in force, in one transaction
  check     have the kernel validate them, and say whether they are in force already

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

    const host = parseHost(await readJson(values.host, io));
    const previous =
      values.previous === undefined
        ? undefined
        : parsePolicy(await readJson(values.previous, io), { host }).policy;
    const result = parsePolicy(await readJson(values.policy, io), { host, ...(previous && { previous }) });
    report(result, io);

    const make = (facts?: Facts): Rendering =>
      (values.faithful ? renderFaithful : render)({
        host,
        policy: result.policy,
        blocked: result.blocked,
        ...(facts && { facts }),
      });
    if (action === 'render' && values.netns === undefined) {
      const rendering = make();
      warn(rendering, io);
      print(rendering, values.json === true, io);
    } else {
      await using nft = connect(namespaceOption(values.netns));
      const rendering = make(await factsOf(nft));
      for (const port of rendering.uncovered)
        io.err(`uncloud: ${port} does not exist yet: apply again when it does\n`);
      warn(rendering, io);
      if (action === 'render') print(rendering, values.json === true, io);
      else await (action === 'apply' ? applyTo(nft, rendering, io) : checkOn(nft, rendering, io));
    }
    return result.problems.length > 0 ? EXIT.failure : EXIT.success;
  },
};

function report({ problems, kept, blocked }: PolicyResult, io: Io): void {
  for (const { key, path, why } of problems) io.err(`uncloud: refused ${key}${path}: ${why}\n`);
  for (const vm of kept) io.err(`uncloud: ${vm} keeps its record of the previous policy\n`);
  for (const port of blocked) io.err(`uncloud: nothing passes on ${port}, a port of a refused VM\n`);
}

/** What is in the policy and not in force, for want of what the kernel has. */
function warn({ unenforced }: Rendering, io: Io): void {
  for (const { key, path, why } of unenforced) io.err(`uncloud: NOT ENFORCED ${key}${path}: ${why}\n`);
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

async function applyTo(nft: Connection, { ruleset, hash }: Rendering, io: Io): Promise<void> {
  await nft.commit(withHash(ruleset, hash));
  io.out(`hash ${hash}\n`);
}

/** Before the first apply there is no table of ours. */
function nothingYet(error: unknown): undefined {
  if (!(error instanceof NetlinkSocketError && error.code === 'ENOENT')) throw error;
}

async function checkOn(nft: Connection, { ruleset, hash }: Rendering, io: Io): Promise<void> {
  const desired: Ruleset = withHash(ruleset, hash);
  await nft.check(desired);
  const inForce = await nft.list({ table: TABLE, terse: true }).then(appliedHash, nothingYet);
  io.out(`hash ${hash}\n`);
  io.out(
    inForce === hash
      ? 'valid, and in force already\n'
      : `valid; in force is ${inForce ?? 'nothing'}: apply would replace it\n`,
  );
}
