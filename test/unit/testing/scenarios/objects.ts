import { accept, add, create, destroy, flush, from, remove } from '../commands.ts';
import { type Scenario, scenario, step } from '../scenario.ts';
import { C, named, S, T, t } from './things.ts';

/** Named objects. */
export const objectScenarios: readonly Scenario[] = [
  scenario(
    'counters, again and anew',
    step('ok', T, add(t.counter('n'))),
    step('ok', add(t.counter('n', { packets: 5, bytes: 6 }))),
    step('EEXIST 0', create(t.counter('n'))),
  ),
  scenario('objects of one name', step('ok', T, add(t.counter('n')), add(t.quota('n')), add(t.limit('n')))),
  scenario(
    'deleting an object',
    step('ok', T, add(t.counter('n'))),
    step('ENOENT 0', remove(named('quota')('n'))),
    step('ok', remove(named('counter')('n'))),
    step('ENOENT 0', remove(named('counter')('n'))),
    step('ok', destroy(named('counter')('n'))),
  ),
  scenario(
    'deleting an object that a rule uses',
    step('ok', T, C, add(t.counter('n')), add(t.rule('c', [{ counter: 'n' }]))),
    step('EBUSY 0', remove(named('counter')('n'))),
    step('ok', flush(t.chain('c')), remove(named('counter')('n'))),
  ),
  scenario(
    'an object that is not there',
    step('ok', T, C),
    step('ENOENT 0', add(t.rule('c', [{ counter: 'n' }]))),
  ),
  scenario(
    'an object of another kind',
    step('ok', T, C, add(t.quota('n'))),
    step('ENOENT 0', add(t.rule('c', [{ counter: 'n' }]))),
  ),
  scenario(
    'a quota declared anew',
    step('ok', T, add(t.quota('q', { used: 10 }))),
    step('ok', add(t.quota('q', { bytes: 5000 }))),
  ),
  scenario(
    'a limit declared anew',
    step('ok', T, add(t.limit('l'))),
    step('ok', add(t.limit('l', { rate: 20 }))),
  ),
  scenario('a comment of an object', step('ok', T, add(t.counter('n', { comment: 'hits' })))),
  scenario(
    'maps to objects',
    step(
      'ok',
      T,
      C,
      add(t.counter('n')),
      add(t.map('m', { map: 'counter' })),
      add(t.elem('m', ['10.0.0.1', 'n'])),
    ),
    step('ENOENT 0', add(t.elem('m', ['10.0.0.2', 'nobody']))),
    step('EBUSY 0', remove(named('counter')('n'))),
    step('ok', flush(named('map')('m')), remove(named('counter')('n'))),
  ),
  scenario(
    'a map to objects that a rule uses',
    step(
      'ok',
      T,
      C,
      add(t.counter('n')),
      add(t.map('m', { map: 'counter' })),
      add(
        t.rule('c', [
          { counter: { map: { key: { payload: { protocol: 'ip', field: 'saddr' } }, data: '@m' } } },
        ]),
      ),
    ),
    step('EBUSY 0', remove(named('map')('m'))),
  ),
  scenario(
    'sets of several rules',
    step('ok', T, C, S, add(t.rule('c', [from('@s')])), add(t.rule('c', [from('@s'), accept]))),
    step('EBUSY 1', remove(t.ruleAt('c', 3)), remove(named('set')('s'))),
    step('ok', remove(t.ruleAt('c', 3)), remove(t.ruleAt('c', 4)), remove(named('set')('s'))),
  ),
];
