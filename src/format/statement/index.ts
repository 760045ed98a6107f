import type {
  Elem,
  Expression,
  Family,
  Mangle,
  MapStatement,
  MeterStatement,
  ObjectReference,
  SetStatement,
  Statement,
  SynproxyState,
  Vmap,
} from '../../model/index.ts';
import { format, mapData } from '../expression.ts';
import { words } from '../selector.ts';
import { stateful, synproxyValues } from '../stateful.ts';
import { checked, NotInSyntax, name } from '../text.ts';
import { namedType, typeOf } from '../type.ts';
import { verdicts } from '../verdict.ts';
import { forwards } from './forward.ts';
import { log } from './log.ts';
import { match } from './match.ts';
import { translations } from './nat.ts';

type Formatter = (node: never, family?: Family) => string;

const objectName = namedType('string');

/** A named object, or the map that tells its name. */
function reference(words: string): (node: ObjectReference) => string {
  return (node) => `${words} ${format(node, objectName)}`;
}

/** A statement that either carries its state or names an object: by what stands there. */
function named(kind: string, own: Formatter): Formatter {
  return (node: never) => {
    const refers = typeof node === 'string' || (node !== null && 'map' in (node as object));
    return refers ? reference(`${kind} name`)(node) : own(node);
  };
}

/** The key of an element that a rule adds, and what is to stand behind its statements. */
function splitElem(elem: Expression): readonly [key: string, rest: string] {
  if (typeof elem !== 'object' || elem === null || !('elem' in elem)) return [format(elem, undefined), ''];
  const { val, ...rest } = elem.elem as Elem;
  const key = format(val, undefined);
  return [
    key,
    format({ elem: { ...rest, val } }, undefined)
      .slice(key.length)
      .trim(),
  ];
}

/** Statements that new elements get: they start from zero, whatever this copy of them has counted. */
export function freshStatements(statements: readonly Statement[] | undefined): string {
  return (statements ?? [])
    .map((statement) => statementText('counter' in statement ? { counter: null } : statement))
    .join(' ');
}

function setUpdate({ op, elem, set, stmt }: SetStatement): string {
  const [key, rest] = splitElem(elem);
  return `${op} @${name(set.replace(/^@/, ''))} { ${words(key, rest, freshStatements(stmt))} }`;
}

function mapUpdate({ op, elem, data, map, stmt }: MapStatement): string {
  const [key, rest] = splitElem(elem);
  const value = format(data, undefined);
  return `${op} @${name(map.replace(/^@/, ''))} { ${words(key, rest, freshStatements(stmt))} : ${value} }`;
}

function meter({ name: title, key, stmt, size }: MeterStatement): string {
  const [text, rest] = splitElem(key);
  return words(
    'meter',
    name(title),
    size !== undefined && `size ${size}`,
    `{ ${words(text, rest, freshStatements([stmt]))} }`,
  );
}

/** One row for each kind of statement, by its key in the JSON. */
const formatters: Readonly<Record<string, Formatter>> = {
  ...verdicts,
  ...translations,
  ...forwards,
  ...stateful,
  match,
  mangle: ({ key, value }: Mangle) => `${format(key, undefined)} set ${format(value, typeOf(key))}`,
  vmap: ({ key, data }: Vmap) => `${format(key, undefined)} vmap ${mapData(data, key, undefined)}`,
  log,
  notrack: () => 'notrack',
  set: setUpdate,
  map: mapUpdate,
  meter,
  counter: named('counter', stateful.counter as Formatter),
  quota: named('quota', stateful.quota as Formatter),
  limit: named('limit', stateful.limit as Formatter),
  synproxy: named('synproxy', (node: SynproxyState | null) =>
    words('synproxy', ...synproxyValues(node ?? {})),
  ),
  'ct helper': reference('ct helper set'),
  'ct timeout': reference('ct timeout set'),
  'ct expectation': reference('ct expectation set'),
  secmark: reference('meta secmark set'),
  tunnel: reference('tunnel name'),
  reset: (node: { readonly 'tcp option': { readonly name: string } }) =>
    `reset tcp option ${name(node['tcp option'].name)}`,
};

/**
 * A statement in nft syntax.
 *
 * @param family - of the table, where it is known: decides what `reject` means without more words
 * @throws NotInSyntax
 */
export function statementText(statement: Statement, family?: Family): string {
  const [[kind, node] = []] = Object.entries(statement);
  const formatter = kind !== undefined && Object.hasOwn(formatters, kind) ? formatters[kind] : undefined;
  if (!formatter) throw new NotInSyntax(`nft has no statement ${kind}`);
  return checked(formatter(node as never, family));
}
