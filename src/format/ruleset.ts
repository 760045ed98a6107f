import type {
  Chain,
  Element,
  Flowtable,
  NamedMap,
  NamedSet,
  ObjectRef,
  Rule,
  Ruleset,
  RulesetElement,
  Table,
  TableRef,
} from '../model/index.ts';
import { chainText } from './chain.ts';
import { flowtableText } from './flowtable.ts';
import { alone, type Head, inside, tableName } from './head.ts';
import { type ObjectKind, objectText } from './object.ts';
import type { FormatOptions } from './options.ts';
import { ruleText } from './rule.ts';
import { elementText, setText } from './set.ts';
import { tableText } from './table.ts';
import { name, orComment } from './text.ts';

/** A chain with what belongs into it. */
interface ChainContents {
  readonly chain: Chain;
  readonly rules: Rule[];
}

/** A table with what belongs into it: first of all things the objects, then the sets, flowtables and chains. */
interface TableContents {
  readonly table: Table;
  readonly objects: string[];
  readonly sets: string[];
  readonly flowtables: string[];
  readonly chains: Map<string, ChainContents>;
}

type Kind = RulesetElement extends infer Element ? (Element extends unknown ? keyof Element : never) : never;

function split(element: RulesetElement): readonly [kind: Kind, node: unknown] {
  const [entry] = Object.entries(element);
  return entry as [Kind, unknown];
}

/** A thing that has a block of its own, under a head. */
function blockText(element: RulesetElement, head: Head, options: FormatOptions): string {
  return orComment(element, () => {
    const [kind, node] = split(element);
    if (kind === 'set' || kind === 'map') return setText(kind, node as NamedSet | NamedMap, head, options);
    if (kind === 'flowtable') return flowtableText(node as Flowtable, head, options);
    if (kind === 'chain') return chainText(node as Chain, [], head, options);
    return objectText(kind as ObjectKind, node as ObjectRef, head, options);
  });
}

function empty(table: Table): TableContents {
  return { table, objects: [], sets: [], flowtables: [], chains: new Map() };
}

function tableContents(contents: TableContents, options: FormatOptions): string {
  const { table, objects, sets, flowtables, chains } = contents;
  const blocks = [...chains.values()].map(({ chain, rules }) =>
    orComment({ chain, rules }, () => chainText(chain, rules, inside, options)),
  );
  const all = [...objects, ...sets, ...flowtables, ...blocks];
  const text = orComment({ table }, () => tableText(table, all, options));
  return text.startsWith('#') ? [text, ...all.map((part) => part.replace(/^/gm, '# '))].join('\n') : text;
}

/**
 * Puts one element of a listing where nft shows it. Tables and chains that only their contents name, as in
 * a listing of a part, come about by that.
 */
function place(element: RulesetElement, tables: Map<string, TableContents>, options: FormatOptions): void {
  const [kind, node] = split(element);
  const { family, ...owner } = node as TableRef | Table;
  const title = 'table' in owner ? owner.table : owner.name;
  const key = `${family} ${title}`;
  const table = tables.get(key) ?? empty({ family, name: title });
  tables.set(key, kind === 'table' ? { ...table, table: node as Table } : table);
  if (kind === 'table') return;
  if (kind === 'rule') {
    const rule = node as Rule;
    const chain = { family, table: title, name: rule.chain };
    const contents: ChainContents = table.chains.get(rule.chain) ?? { chain, rules: [] };
    contents.rules.push(rule);
    table.chains.set(rule.chain, contents);
  } else if (kind === 'chain') {
    const chain = node as Chain;
    table.chains.set(chain.name, { chain, rules: table.chains.get(chain.name)?.rules ?? [] });
  } else if (kind === 'set' || kind === 'map') table.sets.push(blockText(element, inside, options));
  else if (kind === 'flowtable') table.flowtables.push(blockText(element, inside, options));
  else table.objects.push(blockText(element, inside, options));
}

/**
 * A ruleset in nft syntax, as `nft list ruleset` prints it: readable by `nft -f`, with the same effect.
 *
 * What nft syntax cannot say (an opaque instruction, a quotation mark in a comment) stands there as one
 * line of comment, `# not in nft syntax: …` and its JSON.
 *
 * @param ruleset - a listing: elements, or `add` commands; other commands are refused
 * @throws TypeError where the ruleset has another command, with its index
 */
export function formatRuleset(ruleset: Ruleset, options: FormatOptions = {}): string {
  const tables = new Map<string, TableContents>();
  const loose: string[] = [];
  for (const [i, item] of ruleset.nftables.entries()) {
    if ('metainfo' in item) continue;
    const element = 'add' in item ? item.add : (item as RulesetElement);
    const [kind, node] = split(element);
    if (typeof (node as TableRef | null)?.family !== 'string') {
      throw new TypeError(`nftables[${i}]: ${JSON.stringify(kind)} is nothing that a ruleset contains`);
    }
    if (kind === 'element') loose.push(formatObject(element, options));
    else place(element, tables, options);
  }
  const texts = [...[...tables.values()].map((contents) => tableContents(contents, options)), ...loose];
  return texts.map((text) => `${text}\n`).join('');
}

/**
 * One thing of a ruleset in nft syntax, with the words that name it: `chain inet filter input { … }`. Behind
 * `nft add` it is a command.
 */
export function formatObject(element: RulesetElement, options: FormatOptions = {}): string {
  const [kind, node] = split(element);
  return orComment(element, () => {
    if (kind === 'table') return tableText(node as Table, [], options);
    if (kind === 'element') return elementText(node as Element);
    if (kind !== 'rule') return blockText(element, alone, options);
    const rule = node as Rule;
    const text = ruleText(rule, options);
    return text.startsWith('#') ? text : `rule ${tableName(rule)} ${name(rule.chain)} ${text}`;
  });
}
