import {
  accept,
  add,
  counter,
  create,
  destroy,
  flush,
  from,
  jump,
  range,
  remove,
  vmap,
} from '../commands.ts';
import { type Scenario, scenario, step } from '../scenario.ts';
import { C, interval, M, named, numbers, S, T, t, timeouts } from './things.ts';

/** Sets and their declarations. */
export const setScenarios: readonly Scenario[] = [
  scenario('a set without a table', step('ENOENT 0', S)),
  scenario('a set, again and anew', step('ok', T, S), step('ok', S), step('EEXIST 0', create(t.set('s')))),
  scenario(
    'a set of another type',
    step('ok', T, S),
    step('EEXIST 0', add(t.set('s', { type: 'ipv6_addr' }))),
  ),
  scenario(
    'a set of other flags',
    step('ok', T, S),
    step('EEXIST 0', add(t.set('s', interval))),
    step('EEXIST 0', add(t.set('s', timeouts))),
  ),
  scenario(
    'a set of another size',
    step('ok', T, add(t.set('s', { size: 10 }))),
    step('ok', add(t.set('s', { size: 20 }))),
    step('ok', S),
  ),
  scenario(
    'a set of another timeout',
    step('ok', T, add(t.set('s', { timeout: 60 }))),
    step('ok', add(t.set('s', { timeout: 30 }))),
    step('ok', add(t.set('s', timeouts))),
  ),
  scenario(
    'a set that gets a size',
    step('ok', T, S),
    step('ok', add(t.set('s', { size: 2 }))),
    step('ENFILE 0', add(t.elem('s', ...numbers(3)))),
  ),
  scenario(
    'a set that grows, and elements that need it',
    step('ok', T, add(t.set('s', { size: 2, elem: numbers(2) }))),
    step('ENFILE 1', add(t.set('s', { size: 4 })), add(t.elem('s', '10.0.9.9'))),
    step('ok', add(t.set('s', { size: 4 })), remove(t.elem('s', '10.0.1.1')), add(t.elem('s', '10.0.9.9'))),
    step('ok', add(t.elem('s', ...numbers(2, 8)))),
  ),
  scenario(
    'a set of another timeout, and elements that get it',
    step('ok', T, add(t.set('s', { timeout: 60, elem: ['192.0.2.1'] }))),
    step('ok', add(t.set('s', { timeout: 30 })), add(t.elem('s', '192.0.2.2'))),
    step('ok', add(t.elem('s', '192.0.2.3'))),
  ),
  scenario(
    'a set that merges, changed several times at once',
    step(
      'ok',
      T,
      add(t.set('s', { ...interval, 'auto-merge': true, elem: [range('10.0.0.60', '10.0.0.69')] })),
    ),
    step(
      'ok',
      remove(t.elem('s', range('10.0.0.60', '10.0.0.69'))),
      C,
      add(t.elem('s', '10.0.0.30')),
      add(t.rule('c', [from('@s'), accept])),
      add(t.elem('s', range('10.0.0.31', '10.0.0.40'))),
    ),
    step('ok', add(t.elem('s', '10.0.0.41')), remove(t.elem('s', '10.0.0.35'))),
  ),
  scenario('a set that becomes a map', step('ok', T, S), step('EEXIST 0', add(t.map('s')))),
  scenario(
    'a set of another policy',
    step('ok', T, add(t.set('s', { policy: 'memory' }))),
    step('ok', add(t.set('s', { policy: 'performance' }))),
  ),
  scenario(
    'a set with other counters',
    step('ok', T, add(t.set('s', { stmt: [counter] }))),
    step('EEXIST 0', S),
  ),
  scenario(
    'flags that do not go together',
    step('EOPNOTSUPP 1', T, add(t.set('s', { flags: ['constant', 'timeout'] }))),
  ),
  scenario(
    'intervals that packets add to',
    step('EOPNOTSUPP 1', T, add(t.set('s', { flags: ['interval', 'dynamic'] }))),
  ),
  scenario('a name too long for a set', step('CompileError', T, add(t.set('x'.repeat(300))))),
  scenario(
    'a set with percent in its name',
    step('ok', T, add(t.set('a%d'))),
    step('ok', add(t.set('a%d'))),
    step('EINVAL 0', add(t.set('a%s'))),
  ),
  scenario(
    'deleting a set',
    step('ok', T, add(t.set('s', { elem: ['192.0.2.1'] }))),
    step('ok', remove(named('set')('s'))),
    step('ENOENT 0', remove(named('set')('s'))),
    step('ok', destroy(named('set')('s'))),
  ),
  scenario(
    'naming a set that is deleted, while another is declared once more',
    step('ok', T, C, S, add(t.set('u'))),
    step('ENOENT 2', remove(named('set')('u')), S, add(t.elem('u', '192.0.2.1'))),
    step('ENOENT 2', remove(named('set')('u')), S, add(t.rule('c', [from('@u'), accept]))),
  ),
  scenario(
    'deleting a set that a rule uses',
    step('ok', T, C, S, add(t.rule('c', [from('@s'), accept]))),
    step('EBUSY 0', remove(named('set')('s'))),
    step('ok', flush(t.chain('c')), remove(named('set')('s'))),
  ),
  scenario(
    'destroying a set that a rule uses',
    step('ok', T, C, S, add(t.rule('c', [from('@s'), accept]))),
    step('EBUSY 0', destroy(named('set')('s'))),
  ),
  scenario(
    'deleting a set ahead of its rule',
    step('ok', T, C, S, add(t.rule('c', [from('@s'), accept]))),
    step('EBUSY 0', remove(named('set')('s')), remove(t.chain('c'))),
  ),
  scenario(
    'a set in the place of another',
    step('ok', T, add(t.set('s', { elem: ['192.0.2.1'] }))),
    step('ok', remove(named('set')('s')), add(t.set('s', { type: 'ipv6_addr', elem: ['::1'] }))),
  ),
  scenario(
    'deleting all in the order of use',
    step(
      'ok',
      T,
      C,
      add(t.chain('d')),
      M,
      add(t.elem('m', ['192.0.2.1', jump('d')])),
      add(t.rule('c', [vmap('@m')])),
    ),
    step('ok', remove(t.chain('c')), remove(named('map')('m')), remove(t.chain('d'))),
  ),
];
