import type {
  Ct,
  DccpOption,
  Exthdr,
  Fib,
  IpOption,
  Ipsec,
  MetaExpression,
  Numgen,
  Osf,
  Payload,
  Rt,
  SctpChunk,
  Socket,
  Symhash,
  TcpOption,
  TunnelMeta,
} from '../model/index.ts';
import { metaAliases, metaKeys } from '../protocol/index.ts';
import { listOf, NotInSyntax } from './text.ts';

/** Words with a space between them, without those that are absent. */
export function words(...parts: readonly (string | number | false | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== false && part !== '').join(' ');
}

function payload(node: Payload): string {
  if ('base' in node) return words(node.tunnel, `@${node.base},${node.offset},${node.len}`);
  // A field of the tunnel's own header needs no word that says whose it is.
  return words(node.tunnel !== node.protocol && node.tunnel, node.protocol, node.field);
}

function exthdr({ name, field }: Exthdr): string {
  return field === undefined ? `exthdr ${name}` : `${name} ${field}`;
}

function tcpOption(node: TcpOption): string {
  return 'base' in node
    ? `tcp option @${node.base},${node.offset},${node.len}`
    : words('tcp option', node.name, node.field);
}

/** `iifname`, and with the word `meta` whatever has another meaning alone. */
function meta({ key }: MetaExpression['meta']): string {
  const current = Object.hasOwn(metaAliases, key) ? (metaAliases[key] as string) : key;
  const selector = metaKeys[current as keyof typeof metaKeys];
  return selector?.unqualified ? current : `meta ${current}`;
}

/** Before nft 1.1.2 `check` was a question about `oif`, and older versions know that form alone. */
function fib({ result, flags }: Fib): string {
  return words('fib', listOf(flags).join(' . '), result === 'check' ? 'oif' : result);
}

/** `mod 4 offset 3`, behind a number generator or a symmetric hash. */
function modulus(mod: number, offset: number | undefined): string {
  return words(`mod ${mod}`, Boolean(offset) && `offset ${offset}`);
}

const onlyWords = /^[A-Za-z0-9 @,._[\]-]+$/;

/** A selector is made of words and numbers alone. */
function plain(format: (node: never) => string): (node: never) => string {
  return (node) => {
    const text = format(node);
    if (!onlyWords.test(text)) throw new NotInSyntax(`nft has no selector ${text}`);
    return text;
  };
}

const rows: Readonly<Record<string, (node: never) => string>> = {
  payload,
  exthdr,
  'tcp option': tcpOption,
  'ip option': ({ name, field }: IpOption) => words('ip option', name, field),
  'sctp chunk': ({ name, field }: SctpChunk) => words('sctp chunk', name, field),
  'dccp option': ({ type }: DccpOption) => `dccp option ${type}`,
  meta,
  ct: ({ dir, family, key }: Ct) => words('ct', dir, family, key),
  rt: ({ family, key }: Rt) => words('rt', family, key),
  fib,
  socket: ({ key, level }: Socket) => words('socket', key, level !== undefined && `level ${level}`),
  osf: ({ ttl, key }: Osf) => words('osf', ttl !== undefined && `ttl ${ttl}`, key),
  ipsec: ({ dir, spnum, family, key }: Ipsec) =>
    words('ipsec', dir, Boolean(spnum) && `spnum ${spnum}`, family, key),
  tunnel: ({ key }: TunnelMeta) => `tunnel ${key}`,
  numgen: ({ mode, mod, offset }: Numgen) => words('numgen', mode, modulus(mod, offset)),
  symhash: ({ mod, offset }: Symhash) => words('symhash', modulus(mod, offset)),
};

/** One row for each kind of expression that contains no other, by its key in the JSON. */
export const selectors: typeof rows = Object.fromEntries(
  Object.entries(rows).map(([kind, format]) => [kind, plain(format)]),
);
