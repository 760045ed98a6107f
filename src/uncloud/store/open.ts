import { DirectoryStore } from './directory.ts';
import { StoreError } from './error.ts';
import { EtcdStore } from './etcd.ts';
import type { EtcdOptions } from './etcd-client.ts';
import type { Store } from './store.ts';

/** What a store's name does not say. */
export type StoreCredentials = Pick<EtcdOptions, 'tls' | 'user' | 'password'>;

/**
 * Opens a store by its name: `dir:PATH`; `etcd://HOST:PORT[,HOST:PORT…]`, with TLS `etcds://…`.
 *
 * @throws StoreError `invalid` for any other name
 */
export function openStore(name: string, credentials: StoreCredentials = {}): Store {
  const [, kind, rest = ''] = /^(dir:|etcds?:\/\/)(.+)$/.exec(name) ?? [];
  if (kind === 'dir:') return new DirectoryStore(rest);
  if (kind === undefined)
    throw new StoreError(
      'invalid',
      `${name} is no store: dir:PATH, etcd://HOST:PORT,… or etcds://HOST:PORT,…`,
    );
  const scheme = kind === 'etcds://' ? 'https' : 'http';
  const endpoints = rest.split(',').map((host) => `${scheme}://${host}`);
  const wrong = endpoints.find((endpoint) => !URL.canParse(endpoint) || new URL(endpoint).pathname !== '/');
  if (wrong !== undefined) throw new StoreError('invalid', `${name}: ${wrong} is no HOST:PORT`);
  return new EtcdStore({ endpoints, ...credentials });
}
