import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type EtcdOptions, EtcdStore, StoreError } from '../../src/uncloud/index.ts';

/** The etcd server to test with, where there is one: the one that scripts/setup fetched, or the machine's. */
export function etcdServer(): string | undefined {
  const fetched = fileURLToPath(new URL('../../.cache/etcd/usr/bin/etcd', import.meta.url));
  if (existsSync(fetched)) return fetched;
  return spawnSync('etcd', ['--version']).status === 0 ? 'etcd' : undefined;
}

/** A running etcd of one member. */
export interface Etcd extends AsyncDisposable {
  readonly endpoint: string;
  /** What reaches it, with what it wants to know. */
  readonly options: EtcdOptions;
  /** Kills it, as -9 does; its data stay. */
  kill(): Promise<void>;
  /** Has it go on without answering, or answer again. */
  freeze(): void;
  thaw(): void;
  /** Starts it again, where it was. */
  restart(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A key and a certificate for 127.0.0.1 that vouches for itself. */
function certificate(directory: string): { cert: string; key: string } {
  const cert = join(directory, 'cert.pem');
  const key = join(directory, 'key.pem');
  const { status, stderr } = spawnSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-subj', '/CN=nftjs', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`openssl: ${stderr}`);
  return { cert, key };
}

/**
 * Starts an etcd with a directory and ports of its own; disposing ends it and removes its data.
 *
 * @param options - `address` is where its clients reach it
 */
export async function startEtcd({ tls = false, address = '127.0.0.1' } = {}): Promise<Etcd> {
  const directory = await mkdtemp(join(tmpdir(), 'nftjs-etcd-'));
  const files = tls ? certificate(directory) : undefined;
  const scheme = tls ? 'https' : 'http';
  const [client, peer] = [await freePort(), await freePort()];
  const endpoint = `${scheme}://${address}:${client}`;
  const args = [
    ...['--data-dir', join(directory, 'data'), '--logger', 'zap', '--log-level', 'error'],
    ...['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint],
    ...['--listen-peer-urls', `http://127.0.0.1:${peer}`],
    ...['--initial-advertise-peer-urls', `http://127.0.0.1:${peer}`],
    ...['--initial-cluster', `default=http://127.0.0.1:${peer}`, '--unsafe-no-fsync'],
    ...(files === undefined ? [] : ['--cert-file', files.cert, '--key-file', files.key]),
  ];
  const start = () => {
    // It ends with this process, however that ends.
    const command = ['--pdeathsig', 'KILL', etcdServer() as string, ...args];
    const child = spawn('setpriv', command, { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      complaint = (complaint + part).slice(-2000);
    });
    return { child, ended, complaint: () => complaint };
  };
  let running = start();
  const kill = async () => {
    running.child.kill('SIGKILL');
    await running.ended;
  };
  const ca = files && (await readFile(files.cert, 'utf8'));
  const options: EtcdOptions = { endpoints: [endpoint], ...(ca !== undefined && { tls: { ca } }) };
  const ready = async () => {
    await using store = new EtcdStore(options);
    for (let tries = 0; ; tries++) {
      try {
        await store.get('ready');
        return;
      } catch (error) {
        if (error instanceof StoreError && error.code !== 'unavailable') return; // it wants a password
        if (tries > 200 || running.child.exitCode !== null)
          throw new Error(`etcd does not start: ${running.complaint()}`, { cause: error });
        await pause(50);
      }
    }
  };
  const etcd: Etcd = {
    endpoint,
    options,
    kill,
    freeze: () => running.child.kill('SIGSTOP'),
    thaw: () => running.child.kill('SIGCONT'),
    restart: async () => {
      await kill();
      running = start();
      await ready();
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
  try {
    await ready();
  } catch (error) {
    await etcd[Symbol.asyncDispose]();
    throw error;
  }
  return etcd;
}
