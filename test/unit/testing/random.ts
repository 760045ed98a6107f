import fc from 'fast-check';
import {
  accept,
  add,
  type Command,
  concat,
  counter,
  create,
  destroy,
  flush,
  from,
  goTo,
  insert,
  jump,
  prefix,
  range,
  remove,
  rename,
  replace,
  to,
  vmap,
  within,
} from './commands.ts';

// Few names and few values: most commands then meet something that others made.
const inet = within('inet');
const place = fc.oneof({ arbitrary: fc.constant(inet), weight: 12 }, fc.constant(within('ip')));
const name = (...names: string[]) => fc.constantFrom(...names);
const chains = name('a', 'b', 'c', 'd');
const handle = fc.integer({ min: 1, max: 14 });
const small = fc.integer({ min: 0, max: 12 });
const address = small.map((n) => `10.0.0.${n}`);
const interval = fc.oneof(
  address,
  fc.tuple(small, small).map(([a, b]) => range(`10.0.0.${Math.min(a, b)}`, `10.0.0.${Math.max(a, b) + 1}`)),
  fc.constantFrom(prefix('10.0.0.0', 30), prefix('10.0.0.8', 29), prefix('0.0.0.0', 0)),
);
const pair = fc
  .tuple(small, small, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
  .map(([a, b, c, d]) =>
    concat(
      a === b ? `10.0.0.${a}` : range(`10.0.0.${Math.min(a, b)}`, `10.0.0.${Math.max(a, b)}`),
      c === d ? c : range(Math.min(c, d), Math.max(c, d)),
    ),
  );
const verdict = fc.oneof(fc.constant(accept), chains.map(jump), chains.map(goTo));

const declarations: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  s: {},
  sized: { size: 3 },
  r: { flags: ['interval'] },
  fixed: { flags: ['constant'] },
  p: { type: ['ipv4_addr', 'inet_service'], flags: ['interval'] },
};
const setName = name(...Object.keys(declarations));
const elements = fc.oneof(
  fc.tuple(name('s', 'sized', 'fixed'), fc.array(address, { minLength: 1, maxLength: 4 })),
  fc.tuple(fc.constant('r'), fc.array(interval, { minLength: 1, maxLength: 1 })),
  fc.tuple(fc.constant('p'), fc.array(pair, { minLength: 1, maxLength: 1 })),
  fc.tuple(fc.constant('m'), fc.array(fc.tuple(address, verdict), { minLength: 1, maxLength: 2 })),
);
const statement = fc.oneof(
  fc.constant(counter),
  small.map((n) => to(n + 1)),
  fc.constant(to({ set: [22, 80] })),
  name('s', 'sized', 'fixed', 'r').map((set) => from(`@${set}`)),
  fc.constant(vmap('@m')),
  name('a', 'b').map(jump),
  name('a', 'b').map(goTo),
  verdict,
  fc.constant({ counter: 'n' }),
);
const body = fc.tuple(fc.array(fc.constant(counter), { maxLength: 1 }), statement).map(([a, b]) => [...a, b]);

const command: fc.Arbitrary<Command> = place.chain((t) =>
  fc.oneof(
    fc.constantFrom(add(t.table()), create(t.table())),
    fc.constantFrom(flush(t.table()), add(t.table()), destroy(within('ip').table())),
    { arbitrary: chains.map((c) => add(t.chain(c))), weight: 3 },
    chains.map((c) => create(t.chain(c))),
    { arbitrary: fc.constantFrom(add(t.base('z')), add(t.base('z', 'output')), add(t.base('a'))), weight: 2 },
    {
      arbitrary: fc
        .tuple(fc.constantFrom(remove, destroy, flush), name('a', 'b', 'c'))
        .map(([verb, c]) => verb(t.named('chain')(c))),
      weight: 3,
    },
    fc.tuple(chains, chains).map(([c, newname]) => rename(t.chain(c, { newname }))),
    {
      arbitrary: fc.tuple(name('a', 'b', 'c', 'z'), body).map(([c, expr]) => add(t.rule(c, expr))),
      weight: 6,
    },
    fc.tuple(name('a', 'z'), body).map(([c, expr]) => insert(t.rule(c, expr))),
    fc.tuple(name('a', 'b', 'z'), body, handle).map(([c, expr, h]) => add(t.rule(c, expr, { handle: h }))),
    fc
      .tuple(name('a', 'b', 'z'), body, handle)
      .map(([c, expr, h]) => replace(t.rule(c, expr, { handle: h }))),
    fc
      .tuple(fc.constantFrom(remove, destroy), name('a', 'b', 'z'), handle)
      .map(([verb, c, h]) => verb(t.ruleAt(c, h))),
    {
      arbitrary: fc
        .tuple(fc.constantFrom(add, add, create), setName)
        .map(([verb, set]) => verb(t.set(set, declarations[set]))),
      weight: 4,
    },
    fc.constant(add(t.map('m'))),
    {
      arbitrary: fc
        .tuple(fc.constantFrom(remove, destroy, flush), name(...Object.keys(declarations), 'm'))
        .map(([verb, set]) => verb(t.named(set === 'm' ? 'map' : 'set')(set))),
      weight: 2,
    },
    {
      arbitrary: fc
        .tuple(fc.constantFrom(add, add, create, remove, destroy), elements)
        .map(([verb, [set, list]]) => verb(t.elem(set, ...list))),
      weight: 8,
    },
    fc.constantFrom(add(t.counter('n')), create(t.counter('n')), remove(t.named('counter')('n'))),
  ),
);

/** What a sequence begins with, so that what follows finds something. */
export const furniture: readonly Command[] = [
  add(inet.table()),
  add(inet.chain('a')),
  add(inet.chain('b')),
  add(inet.base('z')),
  ...Object.entries(declarations).map(([set, more]) => add(inet.set(set, more))),
  add(inet.map('m')),
  add(inet.counter('n')),
];

/** A transaction of a few commands about few things. */
export const randomTransaction: fc.Arbitrary<Command[]> = fc.oneof(
  { arbitrary: fc.array(command, { minLength: 1, maxLength: 1 }), weight: 3 },
  { arbitrary: fc.array(command, { minLength: 2, maxLength: 4 }), weight: 3 },
  fc.constant<Command[]>([flush({ ruleset: null }), ...furniture]),
);
