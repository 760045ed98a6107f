import { type Command, connect, formatRuleset, stringify } from '../index.ts';
import { type CliCommand, EXIT, UsageError } from './command.ts';
import { namespaceOption, netnsHelp, netnsOption, parseOptions } from './options.ts';
import { scopeHelp, scopeOf, scopeOptions } from './scope.ts';

export const reset: CliCommand = {
  name: 'reset',
  summary: 'set counters and quotas back to zero',
  help: `Usage: nftjs reset counters|quotas [--family F] [--table T [--name N]] [--json] [--netns NS]
       nftjs reset rules [--family F] [--table T [--chain C [--handle H]]] [--json] [--netns NS]
       nftjs reset elements --family F --table T --set S [--element E …] [--json] [--netns NS]

Sets counters, and what quotas have used, back to zero: of named objects, of rules (since Linux 6.2) or of the
elements of a set or map (since 6.5). Prints them as they were before; the kernel does both at one stroke.

Options:
${scopeHelp}
  --name N                only the counter or quota of this name
  --chain C               only the rules of this chain
  --handle H              only the rule with this handle
  --set S                 the set or map whose elements are meant
  --element E             only this element, in libnftables JSON or as plain text; may be given several times
  --json                  libnftables JSON instead of nft syntax
${netnsHelp}

Example:
  nftjs reset counters --family inet --table filter`,
  async run(args, io) {
    const { values, positionals } = parseOptions(
      args,
      {
        ...scopeOptions,
        name: { type: 'string' },
        chain: { type: 'string' },
        handle: { type: 'string' },
        set: { type: 'string' },
        element: { type: 'string', multiple: true },
        json: { type: 'boolean' },
        ...netnsOption,
      },
      [1, 1],
    );
    const command = commandOf(positionals[0] as string, values);
    await using nft = connect(namespaceOption(values.netns));
    const { reset: found } = await nft.commit([command]);
    const ruleset = { nftables: [...(found.get(0) ?? [])] };
    io.out(values.json ? `${stringify(ruleset)}\n` : formatRuleset(ruleset));
    return EXIT.success;
  },
};

interface Values {
  readonly family?: string;
  readonly table?: string;
  readonly name?: string;
  readonly chain?: string;
  readonly handle?: string;
  readonly set?: string;
  readonly element?: readonly string[];
}

/** What each kind takes beside the scope: the option that names one of them, and what that needs. */
const KINDS: Readonly<
  Record<string, readonly (readonly [option: keyof Values, ...needs: (keyof Values)[]])[]>
> = {
  counters: [['name', 'family', 'table']],
  quotas: [['name', 'family', 'table']],
  rules: [
    ['chain', 'family', 'table'],
    ['handle', 'chain'],
  ],
  elements: [
    ['set', 'family', 'table'],
    ['element', 'set'],
  ],
};

function commandOf(kind: string, values: Values): Command {
  const options = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (options === undefined) {
    throw new UsageError(`${kind} cannot be reset: expected one of ${Object.keys(KINDS).join(', ')}`);
  }
  const known = new Set<string>(options.map(([option]) => option));
  for (const option of ['name', 'chain', 'handle', 'set', 'element'] as const) {
    if (values[option] !== undefined && !known.has(option))
      throw new UsageError(`${kind} take no --${option}`);
  }
  for (const [option, ...needs] of options) {
    const missing = needs.find((need) => values[need] === undefined);
    if (values[option] !== undefined && missing !== undefined)
      throw new UsageError(`--${option} needs --${missing}`);
  }
  return { reset: target(kind, values) } as unknown as Command;
}

function target(kind: string, { name, chain, handle, set, element, ...scope }: Values): object {
  const place = scopeOf(scope);
  if (kind === 'elements') {
    if (set === undefined) throw new UsageError('elements are those of a set: --set says which');
    if (element === undefined) return { set: { ...place, name: set } };
    return { element: { ...place, name: set, elem: element.map(elementOf) } };
  }
  if (handle !== undefined) {
    if (!/^\d+$/.test(handle)) throw new UsageError(`--handle takes a number, not ${handle}`);
    return { rule: { ...place, chain, handle: Number(handle) } };
  }
  if (name !== undefined) return { [kind.slice(0, -1)]: { ...place, name } };
  return { [kind]: { ...place, ...(chain === undefined ? {} : { chain }) } };
}

/** `443`, `192.0.2.1`, `{"concat":["192.0.2.1",443]}` */
function elementOf(text: string): unknown {
  if (!/^([{["]|\d+$)/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`--element takes libnftables JSON or plain text, not ${text}`);
  }
}
