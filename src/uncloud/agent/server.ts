import { chmod, lstat, rm } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { Agent } from './agent.ts';
import { metricsText } from './metrics.ts';

/** Where an agent answers: a port of 127.0.0.1, or a Unix socket. */
export type ServerAddress = { readonly port: number } | { readonly path: string };

/** A running server; disposing ends it. */
export interface AgentServer extends AsyncDisposable {
  /** The port, where there is one: port 0 asks for any that is free. */
  readonly port: number | undefined;
}

/**
 * Answers for an agent. To whoever can reach a loopback port or a Unix socket:
 *
 * - `GET /health`: its state as JSON; 200 when it is as desired, 503 when the store is lost, deletions are
 *   held, or the rules could not be put in force
 * - `GET /metrics`: for Prometheus
 *
 * To its own user alone, over a Unix socket, which nobody else may open; any local program can reach a port:
 *
 * - `POST /confirm`: deletions that were held back are meant
 * - `POST /resync`: read the store again
 */
export async function serveAgent(agent: Agent, address: ServerAddress): Promise<AgentServer> {
  const reports: Actions = {
    'GET /health': (response) => {
      const { state } = agent;
      const isWell = state.staleSince === undefined && state.held === undefined && state.error === undefined;
      answer(response, isWell ? 200 : 503, 'application/json', `${JSON.stringify(state)}\n`);
    },
    'GET /metrics': (response) =>
      answer(response, 200, 'text/plain; version=0.0.4; charset=utf-8', metricsText(agent.state)),
  };
  const orders: Actions = {
    'POST /confirm': (response) => {
      agent.confirm();
      answer(response, 202, 'text/plain', '');
    },
    'POST /resync': (response) => {
      agent.resync();
      answer(response, 202, 'text/plain', '');
    },
  };
  const actions: Actions = 'path' in address ? { ...reports, ...orders } : reports;
  const server = createServer((request, response) => {
    const asked = `${request.method} ${request.url}`;
    const act = Object.hasOwn(actions, asked) ? actions[asked] : undefined;
    if (act === undefined) answer(response, 404, 'text/plain', `${Object.keys(actions).join('\n')}\n`);
    else act(response);
  });
  if ('path' in address) await removeSocket(address.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if ('path' in address) server.listen(address.path, resolve);
    else server.listen(address.port, '127.0.0.1', resolve);
  });
  if ('path' in address) await chmod(address.path, 0o600);
  const bound = server.address();
  return {
    port: typeof bound === 'object' ? bound?.port : undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if ('path' in address) await removeSocket(address.path);
    },
  };
}

type Actions = Readonly<Record<string, (response: ServerResponse) => void>>;

/** What an agent that was killed has left; what is no socket is somebody's file. */
async function removeSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket()) await rm(path, { force: true });
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}
