import { cidr, overlap, ownable, prefixText } from './address.ts';
import { list, object, parsed, text, version, word } from './check.ts';
import { Refused } from './problem.ts';

/** A virtual network behind an interface of the host. */
export interface Network {
  readonly mode: 'isolated' | 'nat' | 'routed' | 'open';
  /** Its own blocks, canonical CIDR. */
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
  /** What of this host its guests may reach: the services of such a network, or anything. */
  readonly input: 'services' | 'any';
}

function blocks(value: unknown, path: string, family: 'ip' | 'ip6'): string[] {
  const isOne = typeof value === 'string';
  return list(isOne ? [value] : value, path, 64).map((entry, i) => {
    const at = isOne ? path : `${path}[${i}]`;
    return prefixText(parsed(at, () => ownable(text(entry, at), family)));
  });
}

/** Reads the value of the key `distributed-firewall/network/<ifname>`. */
export function parseNetwork(value: unknown): Network {
  const fields = object(value, '', ['version', 'mode', 'ipv4', 'ipv6', 'input']);
  version(fields.version, '.version');
  if (fields.mode === undefined) throw new Refused('.mode', 'not one of isolated, nat, routed, open');
  const mode = word(fields.mode, '.mode', ['isolated', 'nat', 'routed', 'open']);
  const inputs = ['services', 'any'] as const;
  const network: Network = {
    mode,
    ipv4: blocks(fields.ipv4, '.ipv4', 'ip'),
    ipv6: blocks(fields.ipv6, '.ipv6', 'ip6'),
    input: word(fields.input ?? (mode === 'open' ? 'any' : 'services'), '.input', inputs),
  };
  const needsBlocks = network.mode === 'nat' || network.mode === 'routed';
  if (needsBlocks && network.ipv4.length + network.ipv6.length === 0) {
    throw new Refused('', `mode ${network.mode} needs ipv4 or ipv6`);
  }
  return network;
}

/** The block of one network that meets one of another. */
export function clash(a: Network, b: Network): string | undefined {
  const others = [...b.ipv4, ...b.ipv6].map(cidr);
  return [...a.ipv4, ...a.ipv6].find((text) => others.some((other) => overlap(other, cidr(text))));
}
