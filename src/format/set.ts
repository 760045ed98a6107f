import type { DatatypeName } from '../datatype/index.ts';
import type { Element, Expression, NamedMap, NamedSet, SetType } from '../model/index.ts';
import { elementTexts, format } from './expression.ts';
import { type Head, tableName } from './head.ts';
import { type FormatOptions, handleText } from './options.ts';
import { secondsText } from './stateful.ts';
import { freshStatements } from './statement/index.ts';
import { block, checked, listOf, name, quoted } from './text.ts';
import { namedType, typeOf, type ValueType } from './type.ts';

/** How many elements of a type stand on a line; of all others one. */
const elementsALine: Readonly<Partial<Record<DatatypeName, number>>> = {
  nf_proto: 5,
  integer: 5,
  arp_op: 5,
  inet_proto: 5,
  inet_service: 5,
  tcp_flag: 5,
  dccp_pkttype: 5,
  mark: 5,
  iface_index: 5,
  classid: 5,
  uid: 5,
  gid: 5,
  ct_dir: 5,
  pkt_type: 5,
  ipv4_addr: 2,
  ct_state: 2,
  ct_status: 2,
};

/** Between the elements of two lines: as wide as `elements = { `. */
const nextLine = ',\n\t     ';

/** nft's older JSON writes a concatenation in a map's values as one string. */
function typeNames(type: Exclude<SetType, { typeof: unknown }>): string[] {
  return typeof type === 'string' ? (type as string).split(' . ') : [...(type as readonly string[])];
}

function isTypeof(type: unknown): type is { readonly typeof: Expression } {
  return typeof type === 'object' && type !== null && 'typeof' in type;
}

/** The type of a set's keys or a map's values. */
function valueType(type: SetType | undefined): ValueType {
  if (type === undefined) return undefined;
  if (isTypeof(type)) return typeOf(type.typeof);
  const names = typeNames(type);
  return names.length === 1 ? namedType(names[0] as string) : { parts: names.map(namedType) };
}

function typeName(type: ValueType): string {
  if (type === undefined) return 'integer';
  return 'parts' in type ? type.parts.map(typeName).join(' . ') : type.type.name;
}

/** `type ipv4_addr : mark` or `typeof ip saddr : meta mark`; nft does not mix the two. */
function typeLine({ type, map, elem }: NamedMap): string {
  const data = map as SetType | undefined;
  const mixed = data !== undefined && isTypeof(type) !== isTypeof(data) && isTypeof(data);
  const text = (part: SetType) => {
    if (isTypeof(part)) return mixed ? typeName(valueType(part)) : format(part.typeof, undefined);
    return typeNames(part).join(' . ');
  };
  const word = isTypeof(type) ? 'typeof' : 'type';
  if (data === undefined) return `${word} ${text(type as SetType)}`;
  return `${word} ${text(type as SetType)} : ${hasRanges(elem) ? 'interval ' : ''}${text(data)}`;
}

function hasRanges(elements: NamedMap['elem']): boolean {
  return (elements ?? []).some(
    ([, value]) => typeof value === 'object' && value !== null && ('range' in value || 'prefix' in value),
  );
}

const objectMaps = new Set(['counter', 'quota', 'limit', 'synproxy', 'secmark', 'tunnel']);

function dataType(map: NamedMap['map']): ValueType {
  const isObject = typeof map === 'string' && (objectMaps.has(map) || map.startsWith('ct '));
  return isObject ? namedType('string') : valueType(map as SetType);
}

function elementsText(set: NamedSet | NamedMap): string {
  const key = valueType(set.type);
  const map = 'map' in set ? set.map : undefined;
  const elements = listOf(set.elem as Expression | readonly Expression[] | undefined);
  const texts = elementTexts(elements, key, map === undefined ? undefined : { type: dataType(map) });
  const kind = key !== undefined && 'type' in key ? (key.type.name as DatatypeName) : undefined;
  const room = (kind && elementsALine[kind]) ?? 1;
  const before = (i: number) => (i === 0 ? '' : i % room === 0 ? nextLine : ', ');
  return texts.map((text, i) => before(i) + checked(text)).join('');
}

const flagOrder = ['constant', 'dynamic', 'interval', 'timeout'] as const;

/** A default timeout says that elements have one: the flag goes without saying then. */
function flagsText({ flags, timeout }: NamedSet): string {
  const set = listOf(flags);
  return flagOrder
    .filter((flag) => set.includes(flag) && !(flag === 'timeout' && timeout !== undefined))
    .join(',');
}

/** A named set or map with its elements. */
export function setText(
  kind: 'set' | 'map',
  set: NamedSet | NamedMap,
  head: Head,
  options: FormatOptions,
): string {
  const flags = flagsText(set as NamedSet);
  const { policy, size, stmt = [], timeout, comment } = set;
  const interval = set['gc-interval'];
  const elements = elementsText(set);
  const properties = [
    typeLine(set as NamedMap),
    policy === 'memory' && `policy ${policy}`,
    size !== undefined && `size ${size}`,
    flags && `flags ${flags}`,
    stmt.length > 0 && freshStatements(stmt),
    timeout !== undefined && `timeout ${secondsText(timeout)}`,
    interval !== undefined && `gc-interval ${secondsText(interval)}`,
    set['auto-merge'] && 'auto-merge',
    comment !== undefined && `comment ${quoted(comment)}`,
  ].filter((line): line is string => typeof line === 'string' && line !== '');
  const lines = [...properties.map(checked), ...(elements === '' ? [] : [`elements = { ${elements} }`])];
  return block(head(kind, set), lines, handleText(set.handle, options));
}

/** `element inet t s { … }`: elements apart from their set, whose type is not known here. */
export function elementText({ name: set, elem, ...table }: Element): string {
  const list = listOf(elem as Expression | readonly Expression[]);
  const isMap = list.length > 0 && list.every((node) => Array.isArray(node));
  const texts = elementTexts(list, undefined, isMap ? { type: undefined } : undefined);
  return `element ${tableName(table)} ${name(set)} { ${texts.map(checked).join(', ')} }`;
}
