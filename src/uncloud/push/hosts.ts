import { list, member, object, text } from '../check.ts';
import { Refused, UncloudError } from '../problem.ts';

/** How a host is reached, and what it is. */
export interface PushHost {
  /** What ssh connects to: a name, an address, or a `Host` of its configuration. The host's name where left out. */
  readonly address: string;
  readonly user?: string;
  readonly port?: number;
  /** The program there, in words; `["nftjs"]` where left out, `["sudo", "nftjs"]` and the like. */
  readonly command: readonly string[];
  /** The network namespace there whose rules are meant, as `--netns` takes it. */
  readonly netns?: string;
  /** The description of the host: a file's name, or the description itself. */
  readonly host?: string | object;
}

/** The hosts of a site by their names. */
export type PushHosts = Readonly<Record<string, PushHost>>;

const KEYS = ['address', 'user', 'port', 'command', 'netns', 'host'];
const MOST_HOSTS = 100_000;
const MOST_WORDS = 32;

/** What may stand where ssh expects a host or a user: nothing that it would take for an option. */
function destination(value: unknown, path: string): string {
  const name = text(value, path);
  if (!/^[A-Za-z0-9_.[:][A-Za-z0-9_.:%[\]-]{0,252}$/.test(name))
    throw new Refused(path, 'not a name or address that ssh could connect to');
  return name;
}

function userName(value: unknown, path: string): string {
  const name = text(value, path);
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$/.test(name)) throw new Refused(path, 'not the name of a user');
  return name;
}

function port(value: unknown, path: string): number {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > 65535)
    throw new Refused(path, 'not a port (1 to 65535)');
  return value as number;
}

/** A word of a command line: anything but what no argument can hold. */
function argument(value: unknown, path: string): string {
  const argument = text(value, path);
  if (argument === '' || argument.includes('\0')) throw new Refused(path, 'an empty word, or a zero byte');
  return argument;
}

function pushHost(name: string, value: unknown, path: string): PushHost {
  const fields = object(value, path, KEYS);
  const { host } = fields;
  if (host !== undefined && typeof host !== 'string') object(host, `${path}.host`);
  const command = list(fields.command, `${path}.command`, MOST_WORDS);
  return {
    address: destination(fields.address ?? name, fields.address === undefined ? path : `${path}.address`),
    ...(fields.user !== undefined && { user: userName(fields.user, `${path}.user`) }),
    ...(fields.port !== undefined && { port: port(fields.port, `${path}.port`) }),
    command:
      command.length === 0 ? ['nftjs'] : command.map((word, i) => argument(word, `${path}.command[${i}]`)),
    ...(fields.netns !== undefined && { netns: argument(fields.netns, `${path}.netns`) }),
    ...(host !== undefined && { host: host as string | object }),
  };
}

/** A host's name: what a line of a table can hold. */
function hostName(name: string, path: string): string {
  if (!/^[A-Za-z0-9_.:-]{1,253}$/.test(name))
    throw new Refused(path, 'a host\'s name has 1 to 253 of A-Z, a-z, 0-9, "_", ".", ":" and "-"');
  return name;
}

/**
 * Reads a list of hosts, an object by name:
 *
 * ```json
 * { "node1": {},
 *   "node2": { "address": "192.0.2.2", "user": "firewall", "port": 2222, "command": ["sudo", "nftjs"],
 *              "host": "node2.json" } }
 * ```
 *
 * @throws UncloudError naming the place that is wrong
 */
export function parsePushHosts(value: unknown): PushHosts {
  try {
    const entries = Object.entries(object(value, ''));
    if (entries.length === 0) throw new Refused('', 'no host');
    if (entries.length > MOST_HOSTS) throw new Refused('', `more than ${MOST_HOSTS} hosts`);
    return Object.fromEntries(
      entries
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, fields]) => {
          const path = member(name);
          return [hostName(name, path), pushHost(name, fields, path)];
        }),
    );
  } catch (error) {
    if (error instanceof Refused) throw new UncloudError('hosts', error.path, error.message);
    throw error;
  }
}
