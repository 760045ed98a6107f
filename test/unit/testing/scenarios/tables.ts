import { accept, add, counter, create, destroy, flush, jump, remove, within } from '../commands.ts';
import { type Scenario, scenario, step } from '../scenario.ts';
import { bridge, C, ip, long, other, T, t } from './things.ts';

/** Tables, and transactions as a whole. */
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
];
