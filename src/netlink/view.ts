import {
  type KernelElement,
  OBJECT_TYPES,
  type ObjectType,
  readElementUserdata,
  type SetDeclaration,
  type SetElement,
} from '../bytecode/index.ts';
import { delinearizeSet } from '../delinearize/object/set.ts';
import { chain, elementList, flowtable, MESSAGE, object, rule, set, table } from '../message/index.ts';
import type { Family } from '../model/index.ts';
import { familyByNumber, findFamily } from '../protocol/index.ts';
import { elementKey, type KernelView, type Needs } from '../transaction/index.ts';
import { decodeOpen } from '../wire/schema.ts';
import { isKernelSince } from './kernel-release.ts';
import { readMessages } from './message.ts';
import { query } from './query.ts';
import type { DumpRequest } from './request.ts';

/** Linux 6.3 brought the DESTROY messages. */
export const canDestroy: boolean = isKernelSince(6, 3);

/** The questions whose answers make a view that covers `needs`; none where nothing is needed. */
export function questionsFor(needs: Needs): DumpRequest[] {
  const everything = needs.existence;
  const requests: DumpRequest[] = [];
  const ask = (
    tables: ReadonlySet<string>,
    type: number,
    schema: typeof set | typeof chain | typeof rule,
  ) => {
    for (const name of new Set([...tables, ...everything])) {
      const [family, tableName] = split(name);
      requests.push(query(type, findFamily(family).number, schema, { table: tableName } as never));
    }
  };
  if (everything.size > 0) requests.push({ type: MESSAGE.GETTABLE, family: 0 });
  ask(needs.sets, MESSAGE.GETSET, set);
  ask(needs.chains, MESSAGE.GETCHAIN, chain);
  ask(needs.rules, MESSAGE.GETRULE, rule);
  for (const name of everything) {
    const [family, tableName] = split(name);
    requests.push(query(MESSAGE.GETOBJ, findFamily(family).number, object, { table: tableName }));
    requests.push(query(MESSAGE.GETFLOWTABLE, findFamily(family).number, flowtable, { table: tableName }));
  }
  return requests;
}

function split(name: string): [family: string, table: string] {
  const space = name.indexOf(' ');
  return [name.slice(0, space), name.slice(space + 1)];
}

const key = (...parts: readonly string[]) => parts.join('\0');

/** An element as the kernel takes it, from one as it tells it. */
function asGiven({ userdata, expression, expressions, ...parts }: KernelElement): SetElement {
  const carried = expressions ?? (expression === undefined ? undefined : [expression]);
  return {
    ...parts,
    ...(userdata && readElementUserdata(userdata)),
    ...(carried && { expressions: carried }),
  };
}

/** What the kernel answered, to be asked by name. */
export class View implements KernelView {
  readonly canDestroy = canDestroy;
  readonly #sets = new Map<string, SetDeclaration>();
  readonly #chains = new Map<string, bigint>();
  readonly #rules = new Map<string, bigint[]>();
  readonly #elements = new Map<string, Set<string>>();
  readonly #lists = new Map<string, KernelElement[]>();
  readonly #there = new Set<string>();
  #torn = false;

  /** Whether an answer told an element twice: then it may have left others out (see `mayRehash`). */
  get torn(): boolean {
    return this.#torn;
  }

  /** Takes in the messages of one answer. */
  take(messages: Uint8Array): void {
    const inAnswer = new Set<string>();
    for (const { type, family: number, attributes } of readMessages(messages)) {
      const family = familyByNumber(number)?.name;
      if (family === undefined) continue;
      switch (type) {
        case MESSAGE.NEWTABLE: {
          const { value } = decodeOpen(table, attributes);
          this.#there.add(key('table', family, value.name ?? ''));
          break;
        }
        case MESSAGE.NEWSET: {
          const { value } = decodeOpen(set, attributes);
          const name = key(family, value.table ?? '', value.name ?? '');
          this.#sets.set(name, delinearizeSet(family, value).known);
          this.#there.add(key('set', name)).add(key('map', name));
          break;
        }
        case MESSAGE.NEWCHAIN: {
          const { value } = decodeOpen(chain, attributes);
          const name = key(family, value.table ?? '', value.name ?? '');
          this.#chains.set(name, value.handle ?? 0n);
          this.#there.add(key('chain', name));
          break;
        }
        case MESSAGE.NEWRULE: {
          const { value } = decodeOpen(rule, attributes);
          const name = key(family, value.table ?? '', value.chain ?? '');
          const handles = this.#rules.get(name) ?? [];
          handles.push(value.handle ?? 0n);
          this.#rules.set(name, handles);
          break;
        }
        case MESSAGE.NEWSETELEM: {
          const { value } = decodeOpen(elementList, attributes);
          const name = key(family, value.table ?? '', value.set ?? '');
          const keys = this.#elements.get(name) ?? new Set();
          for (const element of value.elements ?? []) {
            const told = elementKey(element as never);
            this.#torn ||= inAnswer.has(told);
            inAnswer.add(told);
            keys.add(told);
          }
          this.#elements.set(name, keys);
          const list = this.#lists.get(name) ?? [];
          for (const element of value.elements ?? []) list.push(element as KernelElement);
          this.#lists.set(name, list);
          break;
        }
        case MESSAGE.NEWOBJ: {
          const { value } = decodeOpen(object, attributes);
          const kind = Object.keys(OBJECT_TYPES).find(
            (name) => OBJECT_TYPES[name as ObjectType] === value.type,
          );
          this.#there.add(key(kind ?? '', family, value.table ?? '', value.name ?? ''));
          break;
        }
        case MESSAGE.NEWFLOWTABLE: {
          const { value } = decodeOpen(flowtable, attributes);
          this.#there.add(key('flowtable', family, value.table ?? '', value.name ?? ''));
          break;
        }
      }
    }
  }

  set(family: Family, tableName: string, name: string): SetDeclaration | undefined {
    return this.#sets.get(key(family, tableName, name));
  }

  chainHandle(family: Family, tableName: string, name: string): bigint | undefined {
    return this.#chains.get(key(family, tableName, name));
  }

  ruleHandles(family: Family, tableName: string, name: string): readonly bigint[] {
    return this.#rules.get(key(family, tableName, name)) ?? [];
  }

  elementKeys(family: Family, tableName: string, name: string): ReadonlySet<string> {
    return this.#elements.get(key(family, tableName, name)) ?? new Set();
  }

  elements(family: Family, tableName: string, name: string): readonly SetElement[] {
    return (this.#lists.get(key(family, tableName, name)) ?? []).map(asGiven);
  }

  exists(kind: string, family: Family, tableName: string, name: string | undefined): boolean {
    if (kind === 'table') return this.#there.has(key('table', family, tableName));
    return this.#there.has(key(kind, family, tableName, name ?? ''));
  }
}
