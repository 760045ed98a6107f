import { add, concat, counter, create, destroy, flush, from, prefix, remove } from '../commands.ts';
import { type Scenario, scenario, step } from '../scenario.ts';
import { C, constant, interval, named, numbers, other, pairs, S, T, t } from './things.ts';

/** Elements of sets. */
export const elementScenarios: readonly Scenario[] = [
  scenario(
    'elements, again and anew',
    step('ok', T, S, add(t.elem('s', ...numbers(3)))),
    step('ok', add(t.elem('s', '10.0.1.1'))),
    step('ok', create(t.elem('s', '10.0.1.9'))),
    step('EEXIST 0', create(t.elem('s', '10.0.1.10', '10.0.1.1'))),
  ),
  scenario(
    'the same element twice',
    step('ok', T, S),
    step('ok', add(t.elem('s', '10.0.0.1')), add(t.elem('s', '10.0.0.1'))),
    step('EEXIST 1', create(t.elem('s', '10.0.0.2')), create(t.elem('s', '10.0.0.2'))),
  ),
  scenario(
    'the same element twice in a declaration',
    step('ok', T, add(t.set('s', { elem: ['10.0.0.1', '10.0.0.1'] }))),
    step('EEXIST 0', create(t.set('s2', { elem: ['10.0.0.1', '10.0.0.1'] }))),
  ),
  scenario(
    'deleting elements',
    step('ok', T, S, add(t.elem('s', ...numbers(3)))),
    step('ok', remove(t.elem('s', '10.0.1.1', '10.0.1.2'))),
    step('ENOENT 0', remove(t.elem('s', '10.0.1.3', '10.0.1.1'))),
    step('ok', destroy(t.elem('s', '10.0.1.1', '10.0.1.3'))),
  ),
  scenario(
    'an element deleted and added',
    step('ok', T, S, add(t.elem('s', '10.0.0.1'))),
    step('ok', remove(t.elem('s', '10.0.0.1')), create(t.elem('s', '10.0.0.1'))),
    step(
      'ENOENT 2',
      create(t.elem('s', '10.0.0.2')),
      remove(t.elem('s', '10.0.0.2')),
      remove(t.elem('s', '10.0.0.2')),
    ),
  ),
  scenario(
    'flush of a set',
    step('ok', T, S, add(t.elem('s', ...numbers(20)))),
    step('ok', flush(named('set')('s')), add(t.elem('s', '10.0.0.1'))),
    step('ENOENT 0', flush(named('set')('other'))),
    step('ENOENT 0', flush(other.named('set')('s'))),
  ),
  scenario(
    'a set that is full',
    step('ok', T, add(t.set('s', { size: 3 }))),
    step('ok', add(t.elem('s', ...numbers(3)))),
    step('ENFILE 0', add(t.elem('s', '10.0.9.9'))),
    step('ok', add(t.elem('s', '10.0.1.1'))),
  ),
  scenario(
    'more elements than fit',
    step('ok', T, add(t.set('s', { size: 3 }))),
    step('ENFILE 0', add(t.elem('s', ...numbers(5)))),
  ),
  scenario(
    'a full set with room made',
    step('ok', T, add(t.set('s', { size: 3 }))),
    step('ok', add(t.elem('s', ...numbers(3)))),
    step('ok', remove(t.elem('s', '10.0.1.1')), add(t.elem('s', '10.0.9.9'))),
    step('ok', flush(named('set')('s')), add(t.elem('s', ...numbers(3, 7)))),
    step('ENFILE 0', add(t.elem('s', '10.0.9.9')), remove(t.elem('s', '10.0.7.1'))),
  ),
  scenario(
    'a full set of intervals',
    step('ok', T, add(t.set('r', { ...interval, size: 2 }))),
    step('ok', add(t.elem('r', prefix('10.0.0.0', 24), prefix('10.2.0.0', 24)))),
    step('ENFILE 0', add(t.elem('r', prefix('10.4.0.0', 24)))),
  ),
  scenario(
    'a full set of intervals from zero',
    step('ok', T, add(t.set('r', { ...interval, size: 2 }))),
    step('ok', add(t.elem('r', prefix('0.0.0.0', 8), prefix('10.2.0.0', 24)))),
    step('ENFILE 0', add(t.elem('r', prefix('10.4.0.0', 24)))),
  ),
  scenario(
    'a constant set that no rule uses',
    step('ok', T, add(t.set('s', { ...constant, elem: ['10.0.0.1'] }))),
    step('ENFILE 0', add(t.elem('s', '10.0.0.2'))),
    step('ENOENT 0', remove(t.elem('s', '10.0.0.2'))),
  ),
  scenario(
    'a constant set that a rule uses',
    step('ok', T, C, add(t.set('s', { ...constant, elem: ['10.0.0.1'] })), add(t.rule('c', [from('@s')]))),
    step('EBUSY 0', add(t.elem('s', '10.0.0.2'))),
    step('EBUSY 0', remove(t.elem('s', '10.0.0.1'))),
    step('EBUSY 0', flush(named('set')('s'))),
  ),
  scenario(
    'elements with comments',
    step('ok', T, add(t.set('s', { elem: [{ elem: { val: '10.0.0.1', comment: 'a' } }, '10.0.0.2'] }))),
    step('ok', add(t.elem('s', { elem: { val: '10.0.0.1', comment: 'b' } }))),
  ),
  scenario(
    'elements with counters',
    step('ok', T, add(t.set('s', { stmt: [counter], elem: ['10.0.0.1'] }))),
    step('ok', add(t.elem('s', { elem: { val: '10.0.0.2', counter: { packets: 5, bytes: 7 } } }))),
  ),
  scenario(
    'a counter in an element of a plain set',
    step('ok', T, S),
    step('ok', add(t.elem('s', { elem: { val: '10.0.0.2', counter: { packets: 5, bytes: 7 } } }))),
  ),
  scenario(
    'another statement than the set has',
    step('ok', T, add(t.set('s', { stmt: [counter] }))),
    step('EOPNOTSUPP 0', add(t.elem('s', { elem: { val: '10.0.0.2', limit: { rate: 1, per: 'second' } } }))),
  ),
  scenario(
    'catch-all',
    step('ok', T, S),
    step('ok', add(t.elem('s', '*'))),
    step('ok', add(t.elem('s', '*', '10.0.0.1'))),
    step('EEXIST 0', create(t.elem('s', '*'))),
    step('ok', remove(t.elem('s', '*'))),
    step('ENOENT 0', remove(t.elem('s', '*'))),
  ),
  scenario(
    'ports',
    step('ok', T, add(t.set('s', { type: 'inet_service', elem: [22, 80, 443] }))),
    step('ok', remove(t.elem('s', 80))),
    step('EEXIST 0', create(t.elem('s', 22))),
  ),
  scenario(
    'concatenations',
    step('ok', T, add(t.set('s', { ...pairs, elem: [concat('10.0.0.1', 22)] }))),
    step('ok', add(t.elem('s', concat('10.0.0.1', 80)))),
    step('EEXIST 0', create(t.elem('s', concat('10.0.0.1', 22)))),
  ),
  scenario(
    'interface names',
    step('ok', T, add(t.set('s', { type: 'ifname', elem: ['lo', 'eth0'] }))),
    step('ENOENT 0', remove(t.elem('s', 'eth1'))),
  ),
];
