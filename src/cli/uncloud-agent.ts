import { hostname } from 'node:os';
import { connect } from '../index.ts';
import {
  Agent,
  type AgentLog,
  parseHost,
  type ServerAddress,
  serveAgent,
  superviseAgent,
} from '../uncloud/index.ts';
import { EXIT, type Io, UsageError } from './command.ts';
import { readJson } from './input.ts';
import { namespaceOption, netnsHelp, netnsOption, parseOptions } from './options.ts';
import { routeHelp, routeOptions, routesOf } from './route-options.ts';
import { storeHelp, storeOf, storeOptions } from './store-options.ts';

export const agentHelp = `Usage: nftjs uncloud agent --host FILE --store STORE [OPTIONS]

Keeps this host's rules equal to what the store says until it is told to end; the rules stay then. Logs a line
of JSON for each thing that happens. SIGHUP reads everything again. Under systemd (Type=notify) it is ready once
rules are in force, and keeps a watchdog: systemd/nftjs-uncloud.service is a unit to begin with.

  --host FILE             this host
  --name NAME             its name in the store (the machine's)
  --state FILE            where the last good state is kept over a restart
  --listen PORT|PATH      answers GET /health and GET /metrics on 127.0.0.1 or a Unix socket; POST /confirm and
                          POST /resync on a socket alone
  --owned                 the tables are the agent's alone while it lives, whoever flushes what (Linux 6.9)
${routeHelp}
${storeHelp}
${netnsHelp}`;

export async function runAgent(args: readonly string[], io: Io): Promise<number> {
  const { values } = parseOptions(
    args,
    {
      host: { type: 'string' },
      name: { type: 'string', default: hostname() },
      state: { type: 'string' },
      listen: { type: 'string' },
      owned: { type: 'boolean', default: false },
      ...routeOptions,
      ...storeOptions,
      ...netnsOption,
    },
    [0, 0],
  );
  if (values.host === undefined) throw new UsageError('--host is needed');
  const routes = routesOf(values);
  const host = parseHost(await readJson(values.host, io));
  await using store = await storeOf(values);
  await using nft = connect(namespaceOption(values.netns));
  const log: AgentLog = (level, message, fields) =>
    io.err(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
  const agent = new Agent({
    name: values.name,
    host,
    store,
    nft,
    prefix: values.prefix,
    owned: values.owned,
    log,
    ...(routes && { routes }),
    ...(values.state !== undefined && { snapshot: values.state }),
  });

  const ending = new AbortController();
  using supervision = superviseAgent(agent, { log });
  const end = (signal: NodeJS.Signals) => {
    supervision.stop();
    ending.abort(new Error(signal));
  };
  const reload = () => supervision.reload();
  process.on('SIGHUP', reload).once('SIGTERM', end).once('SIGINT', end);
  try {
    await using _server =
      values.listen === undefined ? undefined : await serveAgent(agent, addressOf(values.listen));
    await agent.run(ending.signal);
  } finally {
    process.off('SIGHUP', reload).off('SIGTERM', end).off('SIGINT', end);
  }
  return EXIT.success;
}

function addressOf(text: string): ServerAddress {
  return /^\d+$/.test(text) ? { port: Number(text) } : { path: text };
}
