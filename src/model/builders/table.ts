import { ModelError } from '../error.ts';
import type { Expression } from '../expression.ts';
import type { Family } from '../family.ts';
import { shown } from '../inspect.ts';
import { ElementRows } from '../packing.ts';
import type { AddCommand, Ruleset, RulesetElement, StatefulObjects } from '../ruleset.ts';
import type { Element, NamedMap, NamedSet } from '../set.ts';
import type { ObjectRef, Table, TableRef } from '../table.ts';
import {
  type BaseChain,
  chainDefinition,
  type FlowtableOptions,
  flowtableDefinition,
  type MapOptions,
  type RegularChain,
  type SetOptions,
  setDefinition,
  type TableOptions,
} from './definition.ts';
import { type ElementInput, elementExpression } from './element.ts';
import { checkComment, checkName } from './name.ts';
import { plain } from './plain.ts';
import { type RulePart, ruleDefinition } from './rule.ts';
import type { DataType, KeyType, MapElement, SetElement, SetFlags } from './set-type.ts';

/** What a table is made of, in an order in which everything comes after what it refers to. */
const ORDER = ['table', 'object', 'flowtable', 'set', 'chain', 'element', 'rule'] as const;

type Kind = (typeof ORDER)[number];

/** How a set or map of the table takes its elements. */
interface ElementShape {
  /** Number of fields of the key; undefined where an expression's type decides. */
  readonly fields: number | undefined;
  readonly map: boolean;
}

/** The sets and maps of a table: the type of their elements by name. */
export type ElementTypes = Record<string, unknown>;

/**
 * A table as it is being written down. Each method adds to it and returns it, and a set's or map's name
 * carries the type of its elements from then on:
 *
 * ```ts
 * const filter = table('inet', 'filter')
 *   .set('admins', { type: ['ipv4_addr', 'inet_service'], elements: [['192.0.2.1', 22]] })
 *   .chain('input', { type: 'filter', hook: 'input', priority: 'filter', policy: 'drop' })
 *   .rule('input', concat(ip.saddr, tcp.dport).in('@admins'), accept());
 * ```
 */
export class TableBuilder<Sets extends ElementTypes = Record<never, never>> {
  readonly family: Family;
  readonly name: string;
  readonly #parts = Object.fromEntries(ORDER.map((kind) => [kind, []])) as unknown as Record<
    Kind,
    RulesetElement[]
  >;
  readonly #names = new Set<string>();
  readonly #shapes = new Map<string, ElementShape>();

  constructor(family: Family, name: string, options: TableOptions = {}) {
    this.family = family;
    this.name = checkName('table', name);
    const { flags, comment } = options;
    if (comment !== undefined) checkComment(comment);
    this.#parts.table.push({ table: plain({ family, name, flags, comment }) as Table });
  }

  /** A base chain, or without a hook a regular one. */
  chain(name: string, options: BaseChain | RegularChain = {}): this {
    this.#parts.chain.push({ chain: chainDefinition(this.#declare('chain', name), options) });
    return this;
  }

  /** A named set. Its type decides which elements compile. */
  set<N extends string, const T extends KeyType, const F extends SetFlags = readonly []>(
    name: N,
    options: SetOptions<T, F>,
  ): TableBuilder<Sets & Record<N, SetElement<T, F>>> {
    const set = setDefinition<NamedSet>(this.#declare('set', name), options);
    this.#parts.set.push({ set });
    return this.#filled(name, { fields: fieldCount(options.type), map: false }, options.elements);
  }

  /** A named map, with `map: 'verdict'` a verdict map. Its types decide which pairs compile. */
  map<
    N extends string,
    const T extends KeyType,
    const D extends DataType,
    const F extends SetFlags = readonly [],
  >(name: N, options: MapOptions<T, D, F>): TableBuilder<Sets & Record<N, MapElement<T, D, F>>> {
    const map = setDefinition<NamedMap>(this.#declare('set', name), options);
    this.#parts.set.push({ map });
    return this.#filled(name, { fields: fieldCount(options.type), map: true }, options.elements);
  }

  /** More elements for a set or map that this table has. */
  elements<N extends keyof Sets & string>(
    name: N,
    elements: readonly Sets[N][] | ElementRows<Sets[N]>,
  ): this {
    if (elements.length > 0) this.#parts.element.push({ element: this.element(name, elements) });
    return this;
  }

  /** Elements as a value of the model, for a command of one's own: `{ delete: { element: … } }`. */
  element<N extends keyof Sets & string>(
    name: N,
    elements: readonly Sets[N][] | ElementRows<Sets[N]>,
  ): Element {
    const shape = this.#shapes.get(name);
    if (!shape) throw new ModelError(`table ${this.name} has no set or map ${JSON.stringify(name)}`);
    if (elements instanceof ElementRows) return Object.freeze({ ...this.#ref(), name, elem: elements });
    const expression = (element: unknown, index: number) =>
      checkedElement(shape, element, `element ${index} of ${name}`);
    return plain({ ...this.#ref(), name, elem: elements.map(expression) }) as Element;
  }

  /** A named object: `object('counter', 'web')`, `object('ct helper', 'ftp', { type: 'ftp', protocol: 'tcp' })`. */
  object<K extends keyof StatefulObjects>(
    kind: K,
    name: string,
    properties: Omit<StatefulObjects[K], keyof ObjectRef> = {} as Omit<StatefulObjects[K], keyof ObjectRef>,
  ): this {
    const ref = this.#declare(kind, name);
    this.#parts.object.push(plain({ [kind]: { ...ref, ...properties } }) as unknown as RulesetElement);
    return this;
  }

  /** A flowtable; families ip, ip6, inet. */
  flowtable(name: string, options: FlowtableOptions): this {
    this.#parts.flowtable.push({ flowtable: flowtableDefinition(this.#declare('flowtable', name), options) });
    return this;
  }

  /** A rule at the end of a chain: statements, and a comment where it has one. */
  rule(chain: string, ...parts: readonly RulePart[]): this {
    this.#parts.rule.push({ rule: ruleDefinition(this.#ref(), chain, parts) });
    return this;
  }

  /**
   * The `add` commands that make the table: the table, objects, flowtables, sets and maps, chains,
   * elements, rules.
   */
  get commands(): readonly AddCommand[] {
    return Object.freeze(
      ORDER.flatMap((kind) => this.#parts[kind].map((add) => Object.freeze(shown({ add })))),
    );
  }

  /** The table as libnftables JSON, ready for `nft -j -f`. */
  toJSON(): Ruleset {
    return Object.freeze(shown({ nftables: this.commands }));
  }

  #ref(): TableRef {
    return { family: this.family, table: this.name };
  }

  #declare(kind: string, name: string): ObjectRef {
    const key = `${kind} ${checkName(kind, name)}`;
    if (this.#names.has(key)) throw new ModelError(`table ${this.name} has two ${kind}s named ${name}`);
    this.#names.add(key);
    return { ...this.#ref(), name };
  }

  #filled<S extends ElementTypes>(name: string, shape: ElementShape, elements: readonly unknown[] = []) {
    this.#shapes.set(name, shape);
    const builder = this as unknown as TableBuilder<S>;
    builder.elements(name, elements as S[string][]);
    return builder as TableBuilder<never>;
  }
}

shown(TableBuilder.prototype);

/** A table, empty so far. */
export function table(family: Family, name: string, options?: TableOptions): TableBuilder {
  return new TableBuilder(family, name, options);
}

function fieldCount(type: KeyType): number | undefined {
  if (typeof type === 'string') return 1;
  return 'typeof' in type ? undefined : type.length;
}

/** The expression for an element of a named set or map; `where` names it in errors. */
function checkedElement({ fields, map }: ElementShape, element: unknown, where: string): Expression {
  if (!map) return checkedKey(fields, element as ElementInput, where);
  if (!Array.isArray(element) || element.length !== 2) {
    throw new ModelError(`${where} is no pair of key and value`);
  }
  const [key, data] = element;
  return [checkedKey(fields, key, where), elementExpression(data)];
}

function checkedKey(fields: number | undefined, key: ElementInput, where: string): Expression {
  const value = typeof key === 'object' && 'elem' in key ? key.elem.val : key;
  const given = Array.isArray(value) ? value.length : 1;
  if (fields !== undefined && given !== fields && value !== '*') {
    throw new ModelError(`${where} has ${given} of the ${fields} fields of its key`);
  }
  return elementExpression(key);
}
