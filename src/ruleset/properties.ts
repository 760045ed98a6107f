import { POLICIES } from '../message/index.ts';
import type { SchemaMessage } from '../transaction/index.ts';
import { AttributeWriter } from '../wire/attribute-writer.ts';
import { encode } from '../wire/schema.ts';

/** What a thing is like: for each property, the bytes that say it to the kernel. */
export type Properties = ReadonlyMap<string, string>;

/** What a thing is called, and what says nothing of it. */
const NAMES = new Set(['table', 'name', 'id', 'handle']);

type Values = Readonly<Record<string, unknown>>;

/** What the kernel makes of absent properties, by the kind of thing. */
const defaults: Readonly<Record<string, (values: Values) => Values>> = {
  chain: ({ hook }) => (hook === undefined ? {} : { policy: POLICIES.accept }),
  set: () => ({ policy: 0 }),
  flowtable: () => ({ flags: 0 }),
};

interface Hook {
  readonly devices?: readonly string[];
}

/** The properties of what a message makes. Devices have no order; those of a flowtable are no property. */
export function propertiesOf(kind: string, { schema, value }: SchemaMessage): Properties {
  const stated = Object.entries(value).filter(([name, part]) => !NAMES.has(name) && part !== undefined);
  const told: Values = { ...defaults[kind]?.(value), ...Object.fromEntries(stated) };
  const properties = new Map<string, string>();
  const writer = new AttributeWriter(64);
  for (const [name, part] of Object.entries(told)) {
    const field = schema[name];
    if (field === undefined) continue;
    writer.truncate(0);
    encode({ [name]: field }, { [name]: name === 'hook' ? inOrder(kind, part as Hook) : part }, writer);
    properties.set(name, Buffer.from(writer.bytes()).toString('hex'));
  }
  return properties;
}

function inOrder(kind: string, { devices, ...hook }: Hook): Hook {
  if (devices === undefined) return hook;
  return { ...hook, devices: kind === 'flowtable' ? [] : [...devices].sort() };
}

/** The names of the properties that differ. */
export function differences(one: Properties, other: Properties): string[] {
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].filter((name) => one.get(name) !== other.get(name));
}
