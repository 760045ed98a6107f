import type { Ruleset } from '../../../../src/index.ts';
import { rows, table, thing } from '../pairs.ts';

const flowtable = (dev: unknown, more: object = {}): Ruleset =>
  table(thing('flowtable', { name: 'f', hook: 'ingress', prio: 0, dev, ...more }));
rows('flowtables', [
  ['a new one', table(), flowtable('a'), ['add flowtable f {"hook":"ingress","prio":0,"dev":"a"}']],
  ['one that goes', flowtable('a'), table(), ['delete flowtable f']],
  ['devices in another order', flowtable(['a', 'b']), flowtable(['b', 'a']), []],
  [
    'a device more, in place',
    flowtable(['a']),
    flowtable(['a', 'b']),
    ['add flowtable f {"hook":"ingress","prio":0,"dev":["b"]}'],
  ],
  [
    'a device less, in place',
    flowtable(['a', 'b']),
    flowtable('b'),
    ['delete flowtable f {"hook":"ingress","prio":0,"dev":["a"]}'],
  ],
  ['a priority by name', flowtable('a'), flowtable('a', { prio: 'filter' }), []],
  [
    'another priority: anew',
    flowtable('a'),
    flowtable('a', { prio: 5 }),
    ['delete flowtable f', 'add flowtable f {"hook":"ingress","prio":5,"dev":"a"}'],
  ],
  [
    'flags: anew',
    flowtable('a'),
    flowtable('a', { flags: 'counter' }),
    ['delete flowtable f', 'add flowtable f {"hook":"ingress","prio":0,"dev":"a","flags":"counter"}'],
  ],
]);
