import type {
  Counter,
  CtExpectation,
  CtHelper,
  CtTimeout,
  Limit,
  ObjectRef,
  Quota,
  Secmark,
  StatefulObjects,
  Synproxy,
  Tunnel,
} from '../model/index.ts';
import type { Head } from './head.ts';
import { type FormatOptions, handleText } from './options.ts';
import { counterValues, limitValues, millisecondsText, quotaValues, synproxyValues } from './stateful.ts';
import { block, checked, quoted } from './text.ts';

/** Properties on lines of their own, without those that are absent: `[word, value]`. */
function properties(
  ...rows: readonly (readonly [word: string, value: string | number | undefined])[]
): string[] {
  return rows.filter(([, value]) => value !== undefined).map(([word, value]) => `${word} ${value}`);
}

function limit({ unit, rate = 0, rate_unit = unit, ...rest }: Limit): string[] {
  return [`rate ${limitValues({ rate, ...(rate_unit && { rate_unit }), ...rest })}`];
}

function ctHelper({ type, protocol, l3proto }: CtHelper): string[] {
  return [`type ${quoted(type ?? '')} protocol ${protocol}`, ...properties(['l3proto', l3proto])];
}

/** nft does not read the empty policy that it prints where no state has a timeout of its own. */
function ctTimeout({ protocol, l3proto, policy }: CtTimeout): string[] {
  const states = Object.entries(policy ?? {}).map(([state, seconds]) => `${state} : ${seconds}`);
  return properties(
    ['protocol', protocol],
    ['l3proto', l3proto],
    ['policy', states.length > 0 ? `= { ${states.join(', ')} }` : undefined],
  );
}

function ctExpectation({ protocol, dport, timeout, size, l3proto }: CtExpectation): string[] {
  return properties(
    ['protocol', protocol],
    ['dport', dport],
    ['timeout', timeout === undefined ? undefined : millisecondsText(timeout)],
    ['size', size],
    ['l3proto', l3proto],
  );
}

function tunnelOptions({ type, tunnel }: Tunnel): string[] {
  if (type === undefined || tunnel === undefined) return [];
  const list = (Array.isArray(tunnel) ? tunnel : [tunnel]) as readonly Record<string, unknown>[];
  const options = list.flatMap((option) => {
    const words = Object.entries(option).map(
      ([key, value]) => `${key} ${key === 'data' ? quoted(String(value)) : value}`,
    );
    return type === 'geneve' ? [words.join(' ')] : words;
  });
  return [`${type} {`, ...options.map((option) => `\t${option}`), '}'];
}

function tunnel(node: Tunnel): string[] {
  return [
    ...properties(
      ['id', node.id],
      ['ip saddr', node['src-ipv4']],
      ['ip daddr', node['dst-ipv4']],
      ['ip6 saddr', node['src-ipv6']],
      ['ip6 daddr', node['dst-ipv6']],
      ['sport', node.sport],
      ['dport', node.dport],
      ['tos', node.tos],
      ['ttl', node.ttl],
    ),
    ...tunnelOptions(node),
  ];
}

/** What stands in the block of each kind of object, by its key in the JSON. */
const bodies: { readonly [K in keyof StatefulObjects]: (node: StatefulObjects[K]) => string[] } = {
  counter: (node: Counter) => [counterValues(node)],
  quota: ({ bytes = 0, used = 0, inv = false }: Quota) => [quotaValues({ val: bytes, used, inv })],
  limit,
  'ct helper': ctHelper,
  'ct timeout': ctTimeout,
  'ct expectation': ctExpectation,
  synproxy: (node: Synproxy) => synproxyValues(node),
  secmark: ({ context }: Secmark) => (context === undefined ? [] : [quoted(context)]),
  tunnel,
};

/** The kinds of named object. */
export type ObjectKind = keyof StatefulObjects;

/** A named object. */
export function objectText(
  kind: ObjectKind,
  node: ObjectRef & { readonly comment?: string },
  head: Head,
  options: FormatOptions,
): string {
  const comment = node.comment === undefined ? [] : [`comment ${quoted(node.comment)}`];
  const lines = [...comment, ...bodies[kind](node as never)];
  return block(head(kind, node), lines.map(checked), handleText(node.handle, options));
}
