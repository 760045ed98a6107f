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
  readonly device?: string;
  readonly devices?: readonly string[];
}

interface Description {
  readonly size?: number;
}

/** What the kernel changes apart from what it is told with, as a property of its own; in no order. */
const apart: Readonly<
  Record<string, readonly [property: string, take: (part: object) => readonly [rest: object, text: string]]>
> = {
  hook: [
    'devices',
    ({ device, devices = [], ...rest }: Hook) => [
      rest,
      [...new Set(device === undefined ? devices : [device, ...devices])].sort().join(),
    ],
  ],
  description: ['size', ({ size, ...rest }: Description) => [rest, size ? String(size) : '']],
};

/** The properties of what a message makes. */
export function propertiesOf(kind: string, { schema, value }: SchemaMessage): Properties {
  const stated = Object.entries(value).filter(([name, part]) => !NAMES.has(name) && part !== undefined);
  const told: Values = { ...defaults[kind]?.(value), ...Object.fromEntries(stated) };
  const properties = new Map<string, string>();
  const writer = new AttributeWriter(64);
  for (const [name, part] of Object.entries(told)) {
    const field = schema[name];
    if (field === undefined) continue;
    const [property, take] = apart[name] ?? [];
    const [rest, text] = take?.(part as object) ?? [part, ''];
    if (property !== undefined && text !== '') properties.set(property, text);
    if (take !== undefined && Object.keys(rest as object).length === 0) continue;
    writer.truncate(0);
    encode({ [name]: field }, { [name]: rest }, writer);
    properties.set(name, Buffer.from(writer.bytes()).toString('hex'));
  }
  return properties;
}

/** The flags of a set (NFT_SET_*). */
export function setFlags(properties: Properties | undefined): number {
  return Number.parseInt(properties?.get('flags')?.slice(-8) ?? '0', 16);
}

/** The names of the properties that differ. */
export function differences(one: Properties, other: Properties): string[] {
  const names = new Set([...one.keys(), ...other.keys()]);
  return [...names].filter((name) => one.get(name) !== other.get(name));
}
