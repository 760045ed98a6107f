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
  type ApplyReply,
  apply,
  applyRoutes,
  completed,
  factsOf,
  marked,
  type PolicyResult,
  parseDocument,
  parseHost,
  parsePolicy,
  planOf,
  type Rendering,
  type RouteInput,
  render,
  renderFaithful,
  UnexpectedStateError,
} from '../uncloud/index.ts';
import { type CliCommand, EXIT, type Io, UsageError } from './command.ts';
import { readJson } from './input.ts';
import { namespaceOption, netnsHelp, netnsOption, parseOptions } from './options.ts';
import { routeHelp, routeOptions, routesOf } from './route-options.ts';
import { agentHelp, runAgent } from './uncloud-agent.ts';
import { doctorHelp, runDoctor } from './uncloud-doctor.ts';
import { planHelp, runPlan } from './uncloud-plan.ts';
import { pushHelp, runPush } from './uncloud-push.ts';
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
  plan: runPlan,
  push: runPush,
  teardown: runTeardown,
};

export const uncloud: CliCommand = {
  name: 'uncloud',
  summary: 'the VM firewall: render, apply, check or simulate a policy; examine a host; follow a store',
  help: `Usage: nftjs uncloud render|apply|check --host FILE --policy FILE [OPTIONS]
       nftjs uncloud simulate|doctor|agent|wait|import|plan|push|teardown …, see below

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
  --desired FILE          what a plan says of this host, in the place of --host and --policy: see push
  --expect HASH           apply and check: only where this is in force, or what is desired; several may be named,
                          and \`none\` means nothing. What is in force is known after apply --expect alone
  --faithful              the rules of the article that the firewall comes from, one for each address
  --json                  render as libnftables JSON instead of nft syntax; apply and check answer in a line of JSON
${routeHelp}
${netnsHelp}

Example:
  nftjs uncloud render --host host.json --policy policy.json

${simulateHelp}

${doctorHelp}

${agentHelp}

${waitHelp}

${importHelp}

${planHelp}

${pushHelp}

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
        desired: { type: 'string' },
        expect: { type: 'string', multiple: true },
        faithful: { type: 'boolean' },
        json: { type: 'boolean' },
        ...routeOptions,
        ...netnsOption,
      },
      [1, 1],
    );
    const action = ACTIONS.find((name) => name === positionals[0]);
    if (action === undefined)
      throw new UsageError(
        `expected ${[...ACTIONS, ...Object.keys(OTHERS)].join(', ')}, not ${positionals[0]}`,
      );
    const routes = routesOf(values);
    if (routes && action !== 'apply') throw new UsageError('--routes is for apply');
    const input = await inputOf(values, io);
    const described = parseHost(input.host);
    await using nft =
      action === 'render' && values.netns === undefined ? undefined : connect(namespaceOption(values.netns));
    const facts = nft && (await factsOf(nft));
    const host = completed(described, facts ?? {});
    const previous = input.previous === undefined ? undefined : parsePolicy(input.previous, { host }).policy;
    const result = parsePolicy(input.policy, { host, ...(previous && { previous }) });
    report(result, io);

    const { policy, blocked } = result;
    const desired = { host, policy, blocked: input.blocked ?? blocked, ...(facts && { facts }) };
    const rendered = (values.faithful ? renderFaithful : render)(desired);
    if (input.hash !== undefined && rendered.hash !== input.hash)
      throw new Error(
        `here this comes to ${rendered.hash}, not ${input.hash}: is it the same version of nftjs?`,
      );
    const rendering = values.expect === undefined ? rendered : marked(rendered);
    if (facts) {
      for (const port of rendering.uncovered)
        io.err(`uncloud: ${port} does not exist yet: apply again when it does\n`);
    }
    for (const { key, path, why } of rendering.unenforced)
      io.err(`uncloud: NOT ENFORCED ${key}${path}: ${why}\n`);
    if (!nft || action === 'render') print(rendering, values.json === true, io);
    else if (values.json) {
      const reply = await carryOut(nft, action, rendering, values.expect);
      io.out(`${JSON.stringify({ uncloud: reply })}\n`);
      if (reply.refused !== undefined) return EXIT.failure;
    } else {
      io.out(`hash ${rendering.hash}\n`);
      if (action === 'check') await check(nft, rendering, values.expect, io);
      else await apply(nft, rendering, { ...(values.expect && { expected: values.expect }) });
    }
    const unrouted =
      nft && routes ? await route(nft, { host, vms: Object.entries(policy.vms), ...routes }, io) : 0;
    return result.problems.length + unrouted > 0 ? EXIT.failure : EXIT.success;
  },
};

/** Routes, and says what could not be; how many prefixes that are. */
async function route(nft: Connection, input: Omit<RouteInput, 'interfaces'>, io: Io): Promise<number> {
  const { problems } = await applyRoutes(nft, input);
  for (const { key, path, why } of problems) io.err(`uncloud: ${key}${path}: ${why}\n`);
  return problems.length;
}

interface Input {
  readonly host: unknown;
  readonly policy: unknown;
  readonly previous?: unknown;
  readonly blocked?: readonly string[];
  /** What it has to come to. */
  readonly hash?: string;
}

/** What is desired: in files of their own, or in what a plan says of this host. */
async function inputOf(
  { host, policy, previous, desired }: Readonly<Partial<Record<keyof Input | 'desired', unknown>>>,
  io: Io,
): Promise<Input> {
  const read = async (file: unknown) => readJson(file as string, io);
  if (desired !== undefined) {
    if (host !== undefined || policy !== undefined || previous !== undefined)
      throw new UsageError('--desired stands in the place of --host, --policy and --previous');
    return parseDocument(await read(desired));
  }
  if (host === undefined || policy === undefined) throw new UsageError('--host and --policy are needed');
  return {
    host: await read(host),
    policy: await read(policy),
    ...(previous !== undefined && { previous: await read(previous) }),
  };
}

/** Applies, or checks, and says in one line what came of it. */
async function carryOut(
  nft: Connection,
  action: 'apply' | 'check',
  rendering: Rendering,
  expected: readonly string[] | undefined,
): Promise<ApplyReply> {
  const after = rendering.hash;
  const options = { ...(expected && { expected }) };
  try {
    if (action === 'apply') {
      const { before, transaction } = await apply(nft, rendering, options);
      return { before, after, commands: transaction.nftables.length };
    }
    const { before, transaction } = await planOf(nft, rendering, options);
    if (transaction.nftables.length > 0) await nft.check(transaction);
    return { before, after, commands: transaction.nftables.length };
  } catch (error) {
    if (!(error instanceof UnexpectedStateError)) throw error;
    return { before: error.applied, after, commands: 0, refused: error.message };
  }
}

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
async function check(
  nft: Connection,
  rendering: Rendering,
  expected: readonly string[] | undefined,
  io: Io,
): Promise<void> {
  const { transaction } = await planOf(nft, rendering, { ...(expected && { expected }) });
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
