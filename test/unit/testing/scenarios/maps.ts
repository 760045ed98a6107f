import { accept, add, flush, from, jump, remove, to, vmap } from '../commands.ts';
import { type Scenario, scenario, step } from '../scenario.ts';
import { C, M, named, S, T, t } from './things.ts';

/** Maps. */
export const mapScenarios: readonly Scenario[] = [
  scenario(
    'verdict maps',
    step('ok', T, C, M),
    step('ok', add(t.elem('m', ['10.0.0.1', accept], ['10.0.0.2', jump('c')]))),
    step('ok', add(t.elem('m', ['10.0.0.1', accept]))),
    step('EEXIST 0', add(t.elem('m', ['10.0.0.1', jump('c')]))),
    step('EBUSY 0', remove(t.chain('c'))),
    step('ok', remove(t.elem('m', ['10.0.0.2', jump('c')])), remove(t.chain('c'))),
  ),
  scenario(
    'verdict maps to nowhere',
    step('ok', T, M),
    step('ENOENT 0', add(t.elem('m', ['10.0.0.1', jump('c')]))),
  ),
  scenario(
    'verdict maps to base chains',
    step('ok', T, M, add(t.base('b'))),
    step('EOPNOTSUPP 0', add(t.elem('m', ['10.0.0.1', jump('b')]))),
  ),
  scenario(
    'flush of a verdict map',
    step('ok', T, C, M, add(t.elem('m', ['10.0.0.2', jump('c')]))),
    step('ok', flush(named('map')('m')), remove(t.chain('c'))),
  ),
  scenario(
    'deleting a verdict map',
    step('ok', T, C, M, add(t.elem('m', ['10.0.0.2', jump('c')]))),
    step('EBUSY 0', remove(t.chain('c'))),
    step('ok', remove(named('map')('m')), remove(t.chain('c'))),
  ),
  scenario(
    'a verdict map that two rules use',
    step('ok', T, C, add(t.chain('d')), M, add(t.rule('c', [vmap('@m')])), add(t.rule('d', [vmap('@m')]))),
    step('EBUSY 1', remove(t.chain('d')), remove(named('map')('m'))),
    step('ok', remove(t.chain('d'))),
  ),
  scenario(
    'maps to values',
    step('ok', T, add(t.map('m', { map: 'mark' })), add(t.elem('m', ['10.0.0.1', 7]))),
    step('EEXIST 0', add(t.elem('m', ['10.0.0.1', 8]))),
    step('ok', add(t.elem('m', ['10.0.0.1', 7]))),
    step('ok', remove(t.elem('m', ['10.0.0.1', 9]))),
  ),
  scenario('a map looked up as a set', step('ok', T, C, M), step('ok', add(t.rule('c', [from('@m')])))),
  scenario(
    'a set that comes with its rule',
    step('ok', T, C, S, add(t.rule('c', [from('@s')])), add(t.elem('s', '10.0.0.1'))),
  ),
  scenario(
    'anonymous sets come and go with rules',
    step('ok', T, C, add(t.rule('c', [to({ set: [22, 80] })])), add(t.rule('c', [to({ set: [1, 2] })]))),
    step('ok', remove(t.ruleAt('c', 3))),
    step('ok', add(t.rule('c', [to({ set: [3, 4] })])), flush(t.chain('c'))),
  ),
  scenario(
    'anonymous sets are nobody else’s',
    step('ok', T, C, add(t.rule('c', [to({ set: [22, 80] })]))),
    step('EBUSY 0', remove(named('set')('__set0'))),
  ),
];
