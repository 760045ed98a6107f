import {
  accept,
  add,
  counter,
  create,
  destroy,
  flush,
  from,
  goTo,
  insert,
  jump,
  remove,
  rename,
  replace,
  to,
  vmap,
  within,
} from './commands.ts';
import { type Scenario, scenario, step } from './scenario.ts';

const t = within('inet');
const other = within('inet', 'other');
const ip = within('ip');
const bridge = within('bridge');
const netdev = within('netdev');
const long = 'x'.repeat(300);
const T = add(t.table());
const C = add(t.chain('c'));
const dnat = { dnat: { addr: '192.0.2.1', family: 'ip' } };

/** Jumps from each chain to the next: `first` is a base chain. */
const stairs = (count: number) => [
  add(t.base('b0')),
  ...Array.from({ length: count }, (_, i) => add(t.chain(`b${i + 1}`))),
  ...Array.from({ length: count }, (_, i) => add(t.rule(`b${i}`, [jump(`b${i + 1}`)]))),
];

/** Tables, chains, rules and jumps. */
export const tableScenarios: readonly Scenario[] = [
  scenario(
    'a table, again and anew',
    step('ok', T),
    step('ok', T),
    step('EEXIST 0', create(t.table())),
    step('ok', T, T),
  ),
  scenario(
    'a table created',
    step('ok', create(t.table())),
    step('EEXIST 1', create(other.table()), create(t.table())),
  ),
  scenario(
    'tables of several families',
    step('ok', T, add(ip.table()), add(bridge.table())),
    step('ok', remove(ip.table())),
    step('ENOENT 0', remove(ip.table())),
  ),
  scenario('no table to delete', step('ENOENT 0', remove(t.table()))),
  scenario('no table to destroy', step('ok', destroy(t.table()))),
  scenario(
    'destroying a table',
    step('ok', T, C),
    step('ok', destroy(t.table())),
    step('ok', destroy(t.table())),
  ),
  scenario(
    'a table deleted and made again',
    step('ok', T, C),
    step('ok', remove(t.table()), T),
    step('ok', C, remove(t.table())),
  ),
  scenario('a table made and deleted', step('ok', T, remove(t.table())), step('ENOENT 0', add(t.chain('c')))),
  scenario(
    'a table by its handle',
    step('ok', T),
    step('ENOENT 0', { delete: { table: { family: 'inet', handle: 999999 } } } as never),
  ),
  scenario(
    'a dormant table',
    step('ok', add(t.table({ flags: 'dormant' }))),
    step('ok', T),
    step('ok', add(t.table({ flags: 'dormant' }))),
    step('ok', add(t.base('b'))),
  ),
  scenario(
    'a table with an owner',
    step('ok', add(t.table({ flags: 'owner' })), C),
    step('EOPNOTSUPP 0', T),
    step('ok', add(t.rule('c', [accept]))),
    step('ok', add(t.table({ flags: 'owner' }))),
  ),
  scenario(
    'a table that is to get an owner',
    step('ok', T),
    step('EOPNOTSUPP 0', add(t.table({ flags: 'owner' }))),
  ),
  scenario(
    'an owner that is to persist later',
    step('ok', add(t.table({ flags: 'owner' }))),
    step('EOPNOTSUPP 0', add(t.table({ flags: ['owner', 'persist'] }))),
  ),
  scenario('persist without owner', step('ok', add(t.table({ flags: 'persist' })))),
  scenario('a name too long for a table', step('CompileError', add(within('inet', long).table()))),
  scenario(
    'comments of tables and chains',
    step('ok', add(t.table({ comment: 'mine' })), add(t.chain('c', { comment: 'too' }))),
    step('ok', add(t.table({ comment: 'other' }))),
  ),
  scenario(
    'flush of the rules of a table',
    step('ok', T, C, add(t.rule('c', [accept])), add(t.chain('d')), add(t.rule('d', [jump('c')]))),
    step('ok', flush(t.table())),
    step('ok', remove(t.chain('c'))),
  ),
  scenario('flush of no table', step('ENOENT 0', flush(t.table()))),
  scenario(
    'flush of the ruleset',
    step('ok', T, add(ip.table()), add(ip.chain('c'))),
    step('ok', flush({ ruleset: null })),
    step('ok', flush({ ruleset: null })),
  ),
  scenario(
    'flush of a family',
    step('ok', T, add(ip.table())),
    step('ok', flush({ ruleset: { family: 'ip' } })),
  ),
  scenario(
    'flush, then everything anew',
    step('ok', T, C, add(t.rule('c', [counter]))),
    step('ok', flush({ ruleset: null }), T, C, add(t.rule('c', [accept]))),
  ),
  scenario(
    'one failure undoes all',
    step('ok', T, C),
    step(
      'ENOENT 3',
      add(t.chain('d')),
      add(t.rule('c', [accept])),
      add(t.set('s', { elem: ['192.0.2.1'] })),
      remove(t.chain('nowhere')),
      add(t.chain('e')),
    ),
  ),
  scenario(
    'several failures',
    step('ok', T),
    step('ENOENT 0', remove(t.chain('a')), add(t.chain('b')), remove(t.chain('c'))),
  ),
  scenario(
    'a failure ahead of what follows from it',
    step(
      'EEXIST 1',
      create(t.table()),
      create(t.table()),
      add(other.chain('c')),
      add(other.rule('c', [accept])),
    ),
  ),

  scenario('a chain without a table', step('ENOENT 0', C)),
  scenario(
    'a chain, again and anew',
    step('ok', T, C),
    step('ok', C),
    step('EEXIST 0', create(t.chain('c'))),
  ),
  scenario(
    'a base chain, again',
    step('ok', T, add(t.base('b'))),
    step('ok', add(t.base('b'))),
    step('ok', add(t.chain('b'))),
  ),
  scenario(
    'a base chain of another hook',
    step('ok', T, add(t.base('b'))),
    step('EOPNOTSUPP 0', add(t.base('b', 'output'))),
  ),
  scenario(
    'a base chain of another priority',
    step('ok', T, add(t.base('b'))),
    step('EOPNOTSUPP 0', add(t.base('b', 'input', { prio: 10 }))),
  ),
  scenario(
    'a base chain of another type',
    step('ok', T, add(t.base('b', 'output'))),
    step('EEXIST 0', add(t.base('b', 'output', { type: 'route' }))),
  ),
  scenario(
    'a regular chain that is to be a base chain',
    step('ok', T, C),
    step('EEXIST 0', add(t.base('c'))),
  ),
  scenario(
    'the policy of a base chain',
    step('ok', T, add(t.base('b', 'input', { policy: 'drop' }))),
    step('ok', add(t.base('b'))),
    step('ok', add(t.base('b', 'input', { policy: 'accept' }))),
  ),
  scenario(
    'a chain of type nat before conntrack',
    step('EOPNOTSUPP 1', T, add(t.base('b', 'prerouting', { type: 'nat', prio: -300 }))),
  ),
  scenario('a chain of type nat', step('ok', T, add(t.base('b', 'prerouting', { type: 'nat', prio: -100 })))),
  scenario('a chain of type route', step('ok', T, add(t.base('b', 'output', { type: 'route' })))),
  scenario('a name too long for a chain', step('CompileError', T, add(t.chain(long)))),
  scenario(
    'a chain on a device',
    step('ok', add(netdev.table()), add(netdev.base('b', 'ingress', { dev: 'lo' }))),
    step('ok', add(netdev.base('b', 'ingress', { dev: 'lo' }))),
  ),
  scenario(
    'a chain on a device that is not there',
    step('ok', add(netdev.table()), add(netdev.base('b', 'ingress', { dev: 'nowhere0' }))),
  ),
  scenario(
    'a chain on a device, deleted from it',
    step('ok', add(netdev.table()), add(netdev.base('b', 'ingress', { dev: 'lo' }))),
    step('ok', remove(netdev.base('b', 'ingress', { dev: 'lo' }))),
    step('ok', remove(netdev.named('chain')('b'))),
  ),
  scenario('a chain without any device', step('ok', add(netdev.table()), add(netdev.base('b', 'ingress')))),
  scenario(
    'chains of the bridge',
    step(
      'ok',
      add(bridge.table()),
      add(bridge.base('b', 'forward', { policy: 'drop' })),
      add(bridge.rule('b', [accept])),
    ),
  ),
  scenario(
    'deleting a chain with rules',
    step('ok', T, C, add(t.rule('c', [accept])), add(t.rule('c', [counter]))),
    step('ok', remove(t.chain('c'))),
  ),
  scenario(
    'deleting a chain that is jumped to',
    step('ok', T, C, add(t.chain('d')), add(t.rule('d', [jump('c')]))),
    step('EBUSY 0', remove(t.chain('c'))),
    step('ok', remove(t.chain('d')), remove(t.chain('c'))),
  ),
  scenario(
    'deleting two chains, the target first',
    step('ok', T, C, add(t.chain('d')), add(t.rule('d', [goTo('c')]))),
    step('EBUSY 0', remove(t.chain('c')), remove(t.chain('d'))),
    step('ok', flush(t.chain('d')), remove(t.chain('c'))),
  ),
  scenario(
    'deleting a chain that jumps to itself',
    step('ok', T, C, add(t.rule('c', [jump('c')]))),
    step('EBUSY 0', remove(t.chain('c'))),
    step('ok', flush(t.chain('c')), remove(t.chain('c'))),
  ),
  scenario(
    'deleting a chain that is not there',
    step('ENOENT 1', T, remove(t.chain('c'))),
    step('ok', T),
    step('ENOENT 0', remove(t.chain('c'))),
    step('ok', destroy(t.chain('c'))),
  ),
  scenario(
    'destroying a chain that is in use',
    step('ok', T, C, add(t.base('b')), add(t.rule('b', [jump('c')]))),
    step('EBUSY 0', destroy(t.chain('c'))),
  ),
  scenario(
    'deleting a base chain',
    step('ok', T, add(t.base('b')), add(t.rule('b', [accept]))),
    step('ok', remove(t.chain('b'))),
    step('ok', add(t.chain('b'))),
  ),
  scenario(
    'a chain in the place of another',
    step('ok', T, C),
    step('ok', remove(t.chain('c')), add(t.base('c'))),
  ),
  scenario('destroying in a table that is not there', step('ENOENT 0', destroy(t.chain('c')))),
  scenario(
    'renaming a chain',
    step('ok', T, C, add(t.chain('d')), add(t.rule('d', [jump('c')]))),
    step('ok', rename(t.chain('c', { newname: 'e' }))),
    step('ok', C),
  ),
  scenario(
    'renaming to a name that is there',
    step('ok', T, C, add(t.chain('d'))),
    step('EEXIST 0', rename(t.chain('c', { newname: 'd' }))),
  ),
  scenario(
    'renaming two chains at once',
    step('ok', T, C, add(t.chain('d'))),
    step('EEXIST 1', rename(t.chain('c', { newname: 'e' })), rename(t.chain('d', { newname: 'c' }))),
  ),
  scenario(
    'renaming to a name that was given up',
    step('ok', T, C, add(t.chain('d'))),
    step('ok', remove(t.chain('d')), rename(t.chain('c', { newname: 'd' }))),
  ),
  scenario(
    'two chains renamed to one name',
    step('ok', T, C, add(t.chain('d'))),
    step('EEXIST 1', rename(t.chain('c', { newname: 'e' })), rename(t.chain('d', { newname: 'e' }))),
  ),
  scenario(
    'flush of a chain',
    step(
      'ok',
      T,
      C,
      add(t.rule('c', [accept])),
      add(t.rule('c', [from({ set: ['192.0.2.1', '192.0.2.2'] })])),
    ),
    step('ok', flush(t.chain('c'))),
    step('ENOENT 0', flush(t.chain('d'))),
  ),

  scenario('a rule without a chain', step('ok', T), step('ENOENT 0', add(t.rule('c', [accept])))),
  scenario(
    'rules in order',
    step('ok', T, C, add(t.rule('c', [to(1)])), add(t.rule('c', [to(2)])), insert(t.rule('c', [to(3)]))),
  ),
  scenario(
    'rules by index',
    step('ok', T, C, add(t.rule('c', [to(1)])), add(t.rule('c', [to(2)]))),
    step('ok', add(t.rule('c', [to(3)], { index: 0 }))),
    step('ok', insert(t.rule('c', [to(4)], { index: 0 }))),
    step('ok', insert(t.rule('c', [to(5)], { index: 2 })), add(t.rule('c', [to(6)], { index: 2 }))),
  ),
  scenario(
    'rules by handle',
    step('ok', T, C, add(t.rule('c', [to(1)])), add(t.rule('c', [to(2)]))),
    step('ok', add(t.rule('c', [to(3)], { handle: 2 }))),
    step('ok', insert(t.rule('c', [to(4)], { handle: 3 }))),
    step('ENOENT 0', add(t.rule('c', [to(5)], { handle: 77 }))),
  ),
  scenario(
    'replacing a rule',
    step('ok', T, C, add(t.rule('c', [to(1)])), add(t.rule('c', [to(2)]))),
    step('ok', replace(t.rule('c', [to(9)], { handle: 2 }))),
    step('ok', replace(t.rule('c', [to(8)], { handle: 2 }))),
  ),
  scenario(
    'replacing a rule with its set',
    step('ok', T, C, add(t.rule('c', [to({ set: [1, 2] })])), add(t.rule('c', [counter]))),
    step('ok', replace(t.rule('c', [to({ set: [3, 4, 5] })], { handle: 3 }))),
    step('ENOENT 0', remove(t.ruleAt('c', 5))),
  ),
  scenario(
    'deleting a rule',
    step('ok', T, C, add(t.rule('c', [to(1)])), add(t.rule('c', [to(2)]))),
    step('ok', remove(t.ruleAt('c', 2))),
    step('ENOENT 0', remove(t.ruleAt('c', 2))),
    step('ok', destroy(t.ruleAt('c', 2))),
  ),
  scenario(
    'deleting a rule of a chain that is not there',
    step('ok', T),
    step('ENOENT 0', remove(t.ruleAt('c', 2))),
    step('ok', destroy(t.ruleAt('c', 2))),
  ),
  scenario(
    'deleting a rule twice at once',
    step('ok', T, C, add(t.rule('c', [accept]))),
    step('ENOENT 1', remove(t.ruleAt('c', 2)), remove(t.ruleAt('c', 2))),
  ),
  scenario('a rule with a comment', step('ok', T, C, add(t.rule('c', [accept], { comment: 'why not' })))),
  scenario(
    'handles are not given twice',
    step('ok', T, C, add(t.rule('c', [accept]))),
    step('ENOENT 1', add(t.rule('c', [counter])), remove(t.chain('d'))),
    step('ok', add(t.rule('c', [counter]))),
  ),

  scenario('a jump to nowhere', step('ok', T, C), step('ENOENT 0', add(t.rule('c', [jump('d')])))),
  scenario(
    'a jump to a chain of another table',
    step('ok', T, C, add(other.table()), add(other.chain('d'))),
    step('ENOENT 0', add(t.rule('c', [jump('d')]))),
  ),
  scenario(
    'a jump into a base chain',
    step('ok', T, C, add(t.base('b'))),
    step('EOPNOTSUPP 0', add(t.rule('c', [jump('b')]))),
    step('EOPNOTSUPP 0', add(t.rule('c', [goTo('b')]))),
  ),
  scenario(
    'a jump out of a base chain',
    step('ok', T, C, add(t.base('b')), add(t.rule('b', [jump('c')])), add(t.rule('b', [goTo('c')]))),
  ),
  scenario(
    'a jump to a chain that comes later',
    step('ok', T, C, add(t.rule('c', [jump('d')])), add(t.chain('d'))),
  ),
  scenario(
    'a jump to a chain that goes',
    step('ok', T, C, add(t.chain('d'))),
    step('ENOENT 1', remove(t.chain('d')), add(t.rule('c', [jump('d')]))),
  ),
  scenario(
    'a circle of jumps that nothing enters',
    step('ok', T, C, add(t.chain('d')), add(t.rule('c', [jump('d')])), add(t.rule('d', [jump('c')]))),
  ),
  scenario(
    'a circle of jumps',
    step(
      'EMLINK 6',
      T,
      C,
      add(t.chain('d')),
      add(t.base('b')),
      add(t.rule('b', [jump('c')])),
      add(t.rule('c', [jump('d')])),
      add(t.rule('d', [jump('c')])),
    ),
  ),
  scenario(
    'a circle of one',
    step('ok', T, C, add(t.base('b')), add(t.rule('b', [jump('c')]))),
    step('EMLINK 0', add(t.rule('c', [jump('c')]))),
  ),
  scenario(
    'a circle that is entered later',
    step('ok', T, C, add(t.base('b')), add(t.rule('c', [goTo('c')]))),
    step('EMLINK 1', add(t.rule('b', [counter])), add(t.rule('b', [goTo('c')]))),
  ),
  scenario(
    'a circle through a verdict map',
    step(
      'ok',
      T,
      C,
      add(t.base('b')),
      add(t.map('m')),
      add(t.rule('b', [jump('c')])),
      add(t.rule('c', [vmap('@m')])),
    ),
    step('EMLINK 0', add(t.elem('m', ['192.0.2.1', jump('c')]))),
  ),
  scenario('fifteen jumps', step('ok', T, ...stairs(15))),
  scenario('sixteen jumps', step('EMLINK 33', T, ...stairs(16))),
  scenario(
    'one jump too many, later',
    step('ok', T, ...stairs(15), add(t.chain('deep'))),
    step('EMLINK 0', add(t.rule('b15', [jump('deep')]))),
  ),
  scenario(
    'too many jumps that nothing enters',
    step('ok', T, ...stairs(17).filter((_, i) => i !== 0 && i !== 18)),
  ),

  scenario(
    'translation where it belongs',
    step('ok', T, add(t.base('b', 'prerouting', { type: 'nat', prio: -100 })), add(t.rule('b', [dnat]))),
  ),
  scenario(
    'translation in a filter',
    step('ok', T, add(t.base('b', 'prerouting'))),
    step('EOPNOTSUPP 0', add(t.rule('b', [dnat]))),
  ),
  scenario(
    'translation of sources before routing',
    step('ok', T, C, add(t.rule('c', [{ masquerade: null }]))),
    step(
      'EOPNOTSUPP 1',
      add(t.base('b', 'prerouting', { type: 'nat', prio: -100 })),
      add(t.rule('b', [jump('c')])),
    ),
  ),
  scenario(
    'translation in a chain that is jumped to',
    step('ok', T, C, add(t.rule('c', [dnat])), add(t.base('b'))),
    step('EOPNOTSUPP 0', add(t.rule('b', [jump('c')]))),
  ),
  scenario(
    'a reject where nobody hears',
    step('ok', T, add(t.base('b', 'postrouting'))),
    step('EOPNOTSUPP 0', add(t.rule('b', [{ reject: null }]))),
  ),
  scenario(
    'a reject',
    step(
      'ok',
      T,
      add(t.base('b', 'input')),
      add(t.rule('b', [{ reject: { type: 'icmpx', expr: 'port-unreachable' } }])),
    ),
  ),
  scenario(
    'redirects',
    step('ok', T, C, add(t.rule('c', [to(8080), { redirect: { port: 80 } }]))),
    step(
      'EOPNOTSUPP 1',
      add(t.base('b', 'postrouting', { type: 'nat', prio: 100 })),
      add(t.rule('b', [jump('c')])),
    ),
  ),
  scenario(
    'a verdict map of a rule',
    step(
      'ok',
      T,
      C,
      add(t.chain('d')),
      add(
        t.rule('c', [
          vmap({
            set: [
              ['192.0.2.1', accept],
              ['192.0.2.2', jump('d')],
            ],
          }),
        ]),
      ),
    ),
    step('EBUSY 0', remove(t.chain('d'))),
    step('ok', flush(t.chain('c')), remove(t.chain('d'))),
  ),
  scenario(
    'a verdict map of a rule, to nowhere',
    step('ok', T, C),
    step('ENOENT 0', add(t.rule('c', [vmap({ set: [['192.0.2.1', jump('d')]] })]))),
  ),
];
