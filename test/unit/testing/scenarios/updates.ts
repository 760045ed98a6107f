import { add, counter, remove, update } from '../commands.ts';
import { type Scenario, scenario, step } from '../scenario.ts';
import { C, named, R, S, T, t } from './things.ts';

/** Sets that packets fill. */
export const updateScenarios: readonly Scenario[] = [
  scenario(
    'packets that add to a set',
    step('ok', T, C, add(t.set('s', { flags: ['dynamic'] })), add(t.rule('c', [update('add', 's')]))),
    step('EBUSY 0', remove(named('set')('s'))),
  ),
  scenario(
    'packets that add to a plain set',
    step('ok', T, C, S),
    step('ok', add(t.rule('c', [update('add', 's')]))),
  ),
  scenario(
    'packets that add to a set of fixed size',
    step('ok', T, C, add(t.set('s', { size: 100 }))),
    step('EOPNOTSUPP 0', add(t.rule('c', [update('add', 's')]))),
  ),
  scenario(
    'packets that update without time',
    step('ok', T, C, add(t.set('s', { flags: ['dynamic'] }))),
    step('ok', add(t.rule('c', [update('update', 's')]))),
  ),
  scenario(
    'packets that update',
    step('ok', T, C, add(t.set('s', { flags: ['dynamic'], timeout: 60 }))),
    step('ok', add(t.rule('c', [update('update', 's')]))),
    step('ok', add(t.rule('c', [update('delete', 's')]))),
  ),
  scenario(
    'packets that add to a constant set',
    step('ok', T, C, add(t.set('s', { flags: ['dynamic', 'constant'] }))),
    step('EBUSY 0', add(t.rule('c', [update('add', 's')]))),
  ),
  scenario(
    'packets that add to intervals',
    step('ok', T, C, R),
    step('EOPNOTSUPP 0', add(t.rule('c', [update('add', 'r')]))),
  ),
  scenario(
    'packets with a timeout of their own',
    step('ok', T, C, add(t.set('s', { flags: ['dynamic'] }))),
    step(
      'EOPNOTSUPP 0',
      add(
        t.rule('c', [
          {
            set: {
              op: 'add',
              elem: { elem: { val: { payload: { protocol: 'ip', field: 'saddr' } }, timeout: 5 } },
              set: '@s',
            },
          },
        ]),
      ),
    ),
  ),
  scenario(
    'packets that count',
    step('ok', T, C, add(t.set('s', { flags: ['dynamic'], stmt: [counter] }))),
    step('ok', add(t.rule('c', [update('add', 's', { stmt: [counter] })]))),
    step(
      'EOPNOTSUPP 0',
      add(t.rule('c', [update('add', 's', { stmt: [{ limit: { rate: 1, per: 'second' } }] })])),
    ),
  ),
];
