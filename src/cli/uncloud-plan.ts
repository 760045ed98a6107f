import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  type Plan,
  type PushHosts,
  parsePlan,
  parsePushHosts,
  planChanges,
  planHosts,
  planText,
  type RecordChange,
} from '../uncloud/index.ts';
import { writeAtomically } from '../uncloud/store/file.ts';
import { EXIT, type Io, UsageError } from './command.ts';
import { readJson } from './input.ts';
import { parseOptions } from './options.ts';

export const planHelp = `Usage: nftjs uncloud plan --hosts FILE --policy FILE [OPTIONS]

Says what a push would change on each host, from which state to which, by their hashes. It asks no host and no
kernel: the same files give the same plan, to the byte. A record that is not valid is left out, or keeps its
record of --previous; standard error says which, where and why, and the exit code is 1.

  --hosts FILE            the hosts: {"node1": {}, "node2": {"address": "192.0.2.2", "user": "root", "port": 22,
                          "command": ["sudo", "nftjs"], "netns": "blue", "host": "node2.json"}}
  --host FILE             the description of hosts that do not say one
  --policy FILE           the VMs, as for apply
  --previous PLAN         the plan that was pushed before; without it hosts start from nothing
  --out PLAN              where the plan is written that push takes
  --json                  the changes as JSON`;

/** `nftjs uncloud plan`. */
export async function runPlan(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseOptions(
    args,
    {
      hosts: { type: 'string' },
      host: { type: 'string' },
      policy: { type: 'string' },
      previous: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean' },
    },
    [0, 0],
  );
  if (values.hosts === undefined || values.policy === undefined)
    throw new UsageError('--hosts and --policy are needed');
  const hosts = await descriptions(await readHosts(values.hosts, io), values.hosts, values.host);
  const policy = await readJson(values.policy, io);
  const previous = values.previous === undefined ? undefined : await readPlan(values.previous, io);
  const { plan, problems } = planHosts(hosts, policy, previous);
  // Most problems are those of all hosts.
  const told = new Map<string, string[]>();
  for (const [name, list] of Object.entries(problems)) {
    for (const { key, path, why } of list) {
      const line = `refused ${key}${path}: ${why}`;
      told.set(line, [...(told.get(line) ?? []), name]);
    }
  }
  for (const [line, names] of told) io.err(`uncloud: ${line} (${names.join(', ')})\n`);
  const changes = planChanges(plan, previous);
  io.out(values.json ? json(plan, changes) : text(plan, changes));
  if (values.out !== undefined) await writeAtomically(values.out, planText(plan));
  return told.size > 0 ? EXIT.failure : EXIT.success;
}

/** The hosts of a file. */
export async function readHosts(file: string, io: Io): Promise<PushHosts> {
  return parsePushHosts(await readJson(file, io));
}

/** A plan of a file. */
export async function readPlan(file: string, io: Io): Promise<Plan> {
  return parsePlan(await readJson(file, io));
}

/** The description of each host; names of files are meant from where the list of hosts is. */
async function descriptions(
  hosts: PushHosts,
  list: string,
  otherwise: string | undefined,
): Promise<Record<string, unknown>> {
  const files = new Map<string, unknown>();
  const read = async (file: string) => {
    if (!files.has(file)) files.set(file, parsed(file, await readFile(file, 'utf8')));
    return files.get(file);
  };
  const described: Record<string, unknown> = {};
  for (const [name, { host }] of Object.entries(hosts)) {
    if (typeof host === 'string') described[name] = await read(resolve(dirname(list), host));
    else if (host !== undefined) described[name] = host;
    else if (otherwise !== undefined) described[name] = await read(otherwise);
    else throw new UsageError(`host ${name} is not described: --host names a file for all that are not`);
  }
  return described;
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

type Changes = ReadonlyMap<string, readonly RecordChange[]>;

function json({ hash, hosts }: Plan, changes: Changes): string {
  const described = Object.entries(hosts).map(([name, { from, to }]) => [
    name,
    { from, to, changes: changes.get(name) },
  ]);
  return `${JSON.stringify({ hash, hosts: Object.fromEntries(described) })}\n`;
}

const SIGNS = { add: '+', change: '~', delete: '-' } as const;

/** Hosts that have the same changes have them told once. */
function text({ hash, hosts }: Plan, changes: Changes): string {
  const lines = [`plan ${hash}`];
  const told = new Map<string, string>();
  for (const [name, { from, to }] of Object.entries(hosts)) {
    const list = changes.get(name) ?? [];
    const block = list.map(
      ({ action, key, paths }) => `    ${[`${SIGNS[action]} ${key}`, ...paths].join(' ').trimEnd()}`,
    );
    const first = told.get(block.join('\n'));
    const isSame = first !== undefined && list.length > 0;
    const what = isSame
      ? `the changes of ${first}`
      : `${list.length || 'no'} change${list.length === 1 ? '' : 's'}`;
    lines.push(`${name}: ${what}`, `    from ${from}`, `    to   ${to}`, ...(isSame ? [] : block));
    if (!isSame) told.set(block.join('\n'), name);
  }
  return `${lines.join('\n')}\n`;
}
