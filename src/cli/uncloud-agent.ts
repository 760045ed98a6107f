import { execFile } from 'node:child_process';
import { hostname } from 'node:os';
import { connect } from '../index.ts';
import { Agent, type AgentLog, parseHost, type ServerAddress, serveAgent } from '../uncloud/index.ts';
import { EXIT, type Io, UsageError } from './command.ts';
import { readJson } from './input.ts';
import { namespaceOption, netnsHelp, netnsOption, parseOptions } from './options.ts';
import { storeHelp, storeOf, storeOptions } from './store-options.ts';

export const agentHelp = `Usage: nftjs uncloud agent --host FILE --store STORE [OPTIONS]

Keeps this host's rules equal to what the store says until it is told to end; the rules stay then. Logs a line
of JSON for each thing that happens. SIGHUP reads everything again.

  --host FILE             this host
  --name NAME             its name in the store (the machine's)
  --state FILE            where the last good state is kept over a restart
  --listen PORT|PATH      answers GET /health and GET /metrics on 127.0.0.1 or a Unix socket; POST /confirm and
                          POST /resync on a socket alone
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
      ...storeOptions,
      ...netnsOption,
    },
    [0, 0],
  );
  if (values.host === undefined) throw new UsageError('--host is needed');
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
    log,
    ...(values.state !== undefined && { snapshot: values.state }),
  });

  const ending = new AbortController();
  const end = (signal: NodeJS.Signals) => ending.abort(new Error(signal));
  const resync = () => agent.resync();
  const watchdog = supervise(agent);
  process.on('SIGHUP', resync).once('SIGTERM', end).once('SIGINT', end);
  try {
    await using _server =
      values.listen === undefined ? undefined : await serveAgent(agent, addressOf(values.listen));
    await agent.run(ending.signal);
  } finally {
    clearInterval(watchdog);
    process.off('SIGHUP', resync).off('SIGTERM', end).off('SIGINT', end);
  }
  return EXIT.success;
}

function addressOf(text: string): ServerAddress {
  return /^\d+$/.test(text) ? { port: Number(text) } : { path: text };
}

/** Tells systemd that default deny and the last good state are in force, and from then on that we live. */
function supervise(agent: Agent): NodeJS.Timeout | undefined {
  if (process.env.NOTIFY_SOCKET === undefined) return undefined;
  const watchdog = Number(process.env.WATCHDOG_USEC ?? 0) / 1000;
  let told = 0;
  return setInterval(() => {
    if (agent.state.hash === '') return;
    const isFirst = told === 0;
    if (!isFirst && (watchdog === 0 || Date.now() - told < watchdog / 3)) return;
    told = Date.now();
    execFile('systemd-notify', [isFirst ? '--ready' : 'WATCHDOG=1'], () => {});
  }, 100);
}
