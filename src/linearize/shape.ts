import { at, CompileError, type Path } from './error.ts';

/** What the value of a key must be; `!` says that the key must be there. */
type Kind = 'any' | 'text' | 'whole' | 'text or whole' | 'number' | 'yes or no' | 'texts' | 'list' | 'object';
export type Shape = Readonly<Record<string, Kind | `${Kind}!`>>;

const KINDS: Readonly<Record<Kind, readonly [is: (value: unknown) => boolean, expected: string]>> = {
  any: [() => true, 'anything'],
  text: [isText, 'text without zero bytes'],
  whole: [(value) => typeof value === 'bigint' || Number.isInteger(value), 'a whole number'],
  'text or whole': [(value) => isText(value) || Number.isInteger(value), 'text or a whole number'],
  number: [(value) => typeof value === 'number' && Number.isFinite(value), 'a number'],
  'yes or no': [(value) => typeof value === 'boolean', 'true or false'],
  texts: [
    (value) => isText(value) || (Array.isArray(value) && Array.from(value).every(isText)),
    'a word or a list of words',
  ],
  list: [Array.isArray, 'a list'],
  object: [isObject, 'an object'],
};

/** The kernel takes a zero for the end. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && !value.includes('\0');
}

const port: Shape = { port: 'any', flags: 'texts' };
const nat: Shape = { ...port, addr: 'any', family: 'text', type_flags: 'texts' };
const lookup: Shape = { key: 'any!', data: 'any!' };
const update: Shape = { op: 'text!', elem: 'any!', stmt: 'list' };

/** The keys of what has a state of its own. */
export const statefulShapes = {
  counter: { packets: 'whole', bytes: 'whole' },
  quota: { val: 'whole!', val_unit: 'text', used: 'whole', used_unit: 'text', inv: 'yes or no' },
  limit: {
    rate: 'whole!',
    rate_unit: 'text',
    per: 'text',
    burst: 'whole',
    burst_unit: 'text',
    inv: 'yes or no',
  },
  last: { used: 'whole' },
  'ct count': { val: 'whole!', inv: 'yes or no' },
} as const satisfies Readonly<Record<string, Shape>>;

/** The keys of every expression that is an object, by its own key in the JSON. */
export const expressionShapes = {
  payload: { protocol: 'text', field: 'text', base: 'text', offset: 'whole', len: 'whole', tunnel: 'text' },
  exthdr: { name: 'text!', field: 'text', offset: 'whole' },
  'tcp option': { name: 'text', field: 'text', base: 'whole', offset: 'whole', len: 'whole' },
  'ip option': { name: 'text!', field: 'text' },
  'sctp chunk': { name: 'text!', field: 'text' },
  'dccp option': { type: 'whole!' },
  meta: { key: 'text!' },
  ct: { key: 'text!', dir: 'text', family: 'text' },
  rt: { key: 'text!', family: 'text' },
  fib: { result: 'text!', flags: 'texts!' },
  socket: { key: 'text!', level: 'whole' },
  osf: { key: 'text!', ttl: 'text' },
  ipsec: { key: 'text!', dir: 'text!', spnum: 'whole', family: 'text' },
  tunnel: { key: 'text!' },
  numgen: { mode: 'text!', mod: 'whole!', offset: 'whole' },
  symhash: { mod: 'whole!', offset: 'whole' },
  jhash: { mod: 'whole!', offset: 'whole', expr: 'any!', seed: 'whole' },
  prefix: { addr: 'any!', len: 'whole!' },
  map: lookup,
  elem: {
    val: 'any!',
    timeout: 'number',
    expires: 'number',
    comment: 'text',
    counter: 'any',
    quota: 'any',
    limit: 'any',
    last: 'any',
    'ct count': 'any',
  },
} as const satisfies Readonly<Record<string, Shape>>;

/** The same for statements. Where `null` stands for no more to say, an empty object does as well. */
export const statementShapes: Readonly<Record<string, Shape>> = {
  match: { op: 'text', left: 'any!', right: 'any!' },
  vmap: lookup,
  log: {
    prefix: 'text',
    group: 'whole',
    snaplen: 'whole',
    'queue-threshold': 'whole',
    level: 'text',
    flags: 'texts',
  },
  mangle: { key: 'any!', value: 'any!' },
  set: { ...update, set: 'text!' },
  map: { ...update, data: 'any!', map: 'text!' },
  meter: { name: 'text!', key: 'any!', stmt: 'any!', size: 'whole' },
  snat: nat,
  dnat: nat,
  masquerade: port,
  redirect: port,
  reject: { type: 'text', expr: 'any' },
  fwd: { dev: 'any!', family: 'text', addr: 'any' },
  dup: { addr: 'any', dev: 'any' },
  tproxy: { family: 'text', addr: 'any', port: 'any' },
  queue: { num: 'any', flags: 'texts' },
  synproxy: { mss: 'whole', wscale: 'whole', flags: 'texts' },
  flow: { op: 'text', flowtable: 'text!' },
  reset: { 'tcp option': 'any!' },
  opaque: { name: 'text!', data: 'text!', set: 'any' },
};

/** Statements that may be nothing but their name: `{ log: null }`. */
export const bare: ReadonlySet<string> = new Set(
  'counter last log snat dnat masquerade redirect reject queue synproxy'.split(' '),
);

function isObject(node: unknown): node is Record<string, unknown> {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}

/** One key of a shape, ready to be checked. */
interface Check {
  readonly is: (value: unknown) => boolean;
  readonly expected: string;
}

interface Checks {
  readonly byKey: ReadonlyMap<string, Check>;
  readonly required: readonly string[];
}

/** Every node of every rule is checked, against few shapes: each is taken apart once. */
const taken = new WeakMap<Shape, Checks>();

function checksOf(shape: Shape): Checks {
  let checks = taken.get(shape);
  if (checks === undefined) {
    const rows = Object.entries(shape);
    checks = {
      byKey: new Map(
        rows.map(([key, kind]) => {
          const [is, expected] = KINDS[kind.replace('!', '') as Kind];
          return [key, { is, expected }];
        }),
      ),
      required: rows.filter(([, kind]) => kind.endsWith('!')).map(([key]) => key),
    };
    taken.set(shape, checks);
  }
  return checks;
}

/** Makes sure that `node` has the keys it needs, no others, and values of the right kind. */
export function checkShape(node: unknown, shape: Shape, path: Path | undefined): void {
  if (!isObject(node)) throw new CompileError(path, `expected an object with the keys ${keysOf(shape)}`);
  check(node, shape, path, false);
}

function keysOf(shape: Shape): string {
  return Object.keys(shape).join(', ');
}

/** Makes sure that what `node` has of the keys of a shape is of the right kind; it may have others. */
export function checkKinds(
  node: Readonly<Record<string, unknown>>,
  shape: Shape,
  path: Path | undefined,
): void {
  check(node, shape, path, true);
}

function check(
  node: Readonly<Record<string, unknown>>,
  shape: Shape,
  path: Path | undefined,
  mayHaveOthers: boolean,
): void {
  const { byKey, required } = checksOf(shape);
  const keys = Object.keys(node);
  if (!mayHaveOthers) {
    for (const key of keys) {
      if (!byKey.has(key))
        throw new CompileError(at(path, key), `no such key here: expected some of ${keysOf(shape)}`);
    }
  }
  for (const key of required) {
    if (node[key] === undefined || !Object.hasOwn(node, key))
      throw new CompileError(path, `the key ${key} is missing: expected ${keysOf(shape)}`);
  }
  for (const key of keys) {
    const row = byKey.get(key);
    const value = node[key];
    if (row !== undefined && value !== undefined && !row.is(value))
      throw new CompileError(at(path, key), `expected ${row.expected}`);
  }
}
