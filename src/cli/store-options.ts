import { readFile } from 'node:fs/promises';
import { openStore, type Store } from '../uncloud/index.ts';
import { UsageError } from './command.ts';

/** The options of all commands that talk to a store. */
export const storeOptions = {
  store: { type: 'string' },
  prefix: { type: 'string', default: 'distributed-firewall/' },
  'etcd-ca': { type: 'string' },
  'etcd-cert': { type: 'string' },
  'etcd-key': { type: 'string' },
  'etcd-user': { type: 'string' },
  'etcd-password-file': { type: 'string' },
} as const;

export const storeHelp = `  --store STORE           dir:PATH, etcd://HOST:PORT[,HOST:PORT…], or with TLS etcds://…
  --prefix TEXT           what the keys begin with (distributed-firewall/)
  --etcd-ca, --etcd-cert, --etcd-key FILE    PEM: whom to trust, and who this is
  --etcd-user NAME, --etcd-password-file FILE`;

interface StoreValues {
  readonly store?: string | undefined;
  readonly 'etcd-ca'?: string | undefined;
  readonly 'etcd-cert'?: string | undefined;
  readonly 'etcd-key'?: string | undefined;
  readonly 'etcd-user'?: string | undefined;
  readonly 'etcd-password-file'?: string | undefined;
}

/** Opens the store that the options name. */
export async function storeOf(values: StoreValues): Promise<Store> {
  if (values.store === undefined) throw new UsageError('--store is needed');
  const read = async (file: string | undefined) =>
    file === undefined ? undefined : await readFile(file, 'utf8');
  const [ca, cert, key, password] = await Promise.all(
    (['etcd-ca', 'etcd-cert', 'etcd-key', 'etcd-password-file'] as const).map((name) => read(values[name])),
  );
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  const user = values['etcd-user'];
  return openStore(values.store, {
    ...(Object.keys(tls).length > 0 && { tls }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password: password.trimEnd() }),
  });
}
