import type { Command, Element, Expression, Ruleset, RulesetElement, Statement } from '../model/index.ts';
import { showWith } from '../model/inspect.ts';
import { formatChange } from './change.ts';
import { formatCommand } from './command.ts';
import { formatExpression, formatStatement } from './part.ts';
import { formatObject, formatRuleset } from './ruleset.ts';

type Node = Readonly<Record<string, unknown>>;

const VERBS = ['add', 'create', 'insert', 'replace', 'delete', 'destroy', 'flush', 'reset', 'rename'];
/** Keys of expressions; of those that statements have too, a statement has an `op` in it. */
const EXPRESSIONS = [
  ...[
    'payload',
    'meta',
    'ct',
    'rt',
    'fib',
    'exthdr',
    'ip option',
    'tcp option',
    'sctp chunk',
    'socket',
    'osf',
  ],
  ...['ipsec', 'tunnel', 'numgen', 'jhash', 'symhash', 'concat', 'prefix', 'range', 'elem', 'set', 'map'],
  ...['|', '^', '&', '<<', '>>', '+'],
];

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The words of whatever the model has; nothing for what is no whole of its own. */
function wordsOf(thing: object, most: number): string | undefined {
  if ('nftables' in thing) return rulesetText(thing as unknown as Ruleset, most);
  const [[key, value] = [''], ...others] = Object.entries(thing) as [string, unknown][];
  if (others.length > 0) return undefined;
  if (key === 'metainfo') return undefined;
  if (key === 'comment' && typeof value === 'string') return `comment ${JSON.stringify(value)}`;
  if (VERBS.includes(key) && isNode(value) && !('tcp option' in value))
    return shortened(value, most, (some) => commandText({ [key]: some } as unknown as Command));
  if (
    isNode(value) &&
    typeof value.family === 'string' &&
    (key === 'table' || typeof value.table === 'string')
  )
    return shortened(thing as Node, most, (some) => formatObject(some as unknown as RulesetElement));
  const isExpression = EXPRESSIONS.includes(key) && !(isNode(value) && 'op' in value);
  return isExpression ? formatExpression(thing as Expression) : formatStatement(thing as Statement);
}

/** On one line. */
function commandText(command: Command): string {
  return 'add' in command && !('rule' in command.add)
    ? formatChange({ action: 'add', object: command.add })
    : formatCommand(command);
}

/** A listing as such; a transaction command by command. */
function rulesetText({ nftables }: Ruleset, most: number): string {
  const isListing = nftables.every((item) => !VERBS.some((verb) => verb in item) || 'add' in item);
  if (!isListing)
    return nftables
      .map((item) => wordsOf(item, most))
      .filter(Boolean)
      .join('\n');
  const left: string[] = [];
  const some = nftables
    .map((item) => ('add' in item ? item.add : item))
    .map((item) => {
      const [one, note] = cut(item as unknown as Node, most);
      if (note !== undefined) left.push(note);
      return one as unknown as RulesetElement;
    });
  return [formatRuleset({ nftables: some }).trimEnd(), ...left].join('\n');
}

function shortened(element: Node, most: number, format: (some: Node) => string): string {
  const [some, note] = cut(element, most);
  return [format(some), ...(note === undefined ? [] : [note])].join('\n');
}

/** No more elements than `most`, and how many are left. */
function cut(element: Node, most: number): readonly [some: Node, note?: string] {
  const [[kind, value] = ['']] = Object.entries(element);
  const elem = isNode(value) ? (value as unknown as Element).elem : undefined;
  if (!isNode(value) || !Array.isArray(elem) || elem.length <= most) return [element];
  const note = `# ${elem.length - most} more elements of ${value.name}`;
  return [{ [kind]: { ...value, elem: elem.slice(0, most) } }, note];
}

showWith((thing, { maxArrayLength }) => {
  const most = typeof maxArrayLength === 'number' ? maxArrayLength : Number.POSITIVE_INFINITY;
  try {
    return wordsOf(thing, most);
  } catch {
    // It is not what the model's types say: whoever looks at it wants to see why.
    return undefined;
  }
});
