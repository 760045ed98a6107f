import { add, concat, create, destroy, flush, prefix, range, remove } from '../commands.ts';
import { type Scenario, scenario, step } from '../scenario.ts';
import { interval, named, P, R, T, t } from './things.ts';

/** Intervals and concatenated ranges. */
export const intervalScenarios: readonly Scenario[] = [
  scenario(
    'intervals',
    step('ok', T, R, add(t.elem('r', prefix('10.0.0.0', 8), range('192.0.2.3', '192.0.2.9')))),
    step('ok', add(t.elem('r', prefix('10.0.0.0', 8)))),
    step('EEXIST 0', create(t.elem('r', prefix('10.0.0.0', 8)))),
  ),
  scenario(
    'an interval that begins inside another',
    step('ok', T, R, add(t.elem('r', range('10.0.0.10', '10.0.0.20')))),
    step('EEXIST 0', add(t.elem('r', range('10.0.0.15', '10.0.0.30')))),
  ),
  scenario(
    'an interval that ends inside another',
    step('ok', T, R, add(t.elem('r', range('10.0.0.10', '10.0.0.20')))),
    step('EEXIST 0', add(t.elem('r', range('10.0.0.5', '10.0.0.15')))),
  ),
  scenario(
    'an interval inside another',
    step('ok', T, R, add(t.elem('r', range('10.0.0.10', '10.0.0.20')))),
    step('EEXIST 0', add(t.elem('r', '10.0.0.15'))),
    step('EEXIST 0', add(t.elem('r', range('10.0.0.12', '10.0.0.13')))),
  ),
  scenario(
    'an interval around another',
    step('ok', T, R, add(t.elem('r', range('10.0.0.10', '10.0.0.20')))),
    step('EEXIST 0', add(t.elem('r', range('10.0.0.5', '10.0.0.25')))),
  ),
  scenario(
    'intervals that begin alike',
    step('ok', T, R, add(t.elem('r', range('10.0.0.10', '10.0.0.20')))),
    step('EEXIST 0', add(t.elem('r', range('10.0.0.10', '10.0.0.15')))),
    step('EEXIST 0', add(t.elem('r', range('10.0.0.10', '10.0.0.25')))),
  ),
  scenario(
    'intervals that end alike',
    step('ok', T, R, add(t.elem('r', range('10.0.0.10', '10.0.0.20')))),
    step('EEXIST 0', add(t.elem('r', range('10.0.0.15', '10.0.0.20')))),
    step('ok', add(t.elem('r', range('10.0.0.5', '10.0.0.20')))),
  ),
  scenario(
    'intervals side by side',
    step('ok', T, R, add(t.elem('r', range('10.0.0.10', '10.0.0.20')))),
    step('ok', add(t.elem('r', range('10.0.0.21', '10.0.0.30')))),
    step('ok', add(t.elem('r', range('10.0.0.1', '10.0.0.9')))),
    step('ok', remove(t.elem('r', range('10.0.0.10', '10.0.0.20')))),
  ),
  scenario(
    'deleting a part of an interval',
    step('ok', T, R, add(t.elem('r', range('10.0.0.10', '10.0.0.20')))),
    step('ENOENT 0', remove(t.elem('r', range('10.0.0.10', '10.0.0.15')))),
    step('ENOENT 0', remove(t.elem('r', '10.0.0.15'))),
    step('ok', destroy(t.elem('r', '10.0.0.15'))),
  ),
  scenario(
    'an interval in the place of another',
    step('ok', T, R, add(t.elem('r', range('10.0.0.10', '10.0.0.20')))),
    step(
      'ok',
      remove(t.elem('r', range('10.0.0.10', '10.0.0.20'))),
      add(t.elem('r', range('10.0.0.5', '10.0.0.15'))),
    ),
  ),
  scenario(
    'everything, as an interval',
    step('ok', T, R, add(t.elem('r', prefix('0.0.0.0', 0)))),
    step('EEXIST 0', add(t.elem('r', '10.0.0.1'))),
    step('ok', remove(t.elem('r', prefix('0.0.0.0', 0)))),
  ),
  scenario(
    'the upper half',
    step('ok', T, R, add(t.elem('r', prefix('128.0.0.0', 1)))),
    step('ok', add(t.elem('r', prefix('0.0.0.0', 1)))),
    step('EEXIST 0', add(t.elem('r', '255.255.255.255'))),
  ),
  scenario(
    'flush of intervals',
    step('ok', T, R, add(t.elem('r', prefix('10.0.0.0', 8)))),
    step('ok', flush(named('set')('r')), add(t.elem('r', '10.0.0.1'))),
  ),
  scenario(
    'intervals in a map',
    step(
      'ok',
      T,
      add(t.map('m', { ...interval, map: 'mark' })),
      add(t.elem('m', [prefix('10.0.0.0', 8), 1])),
    ),
    step('EEXIST 0', add(t.elem('m', [prefix('10.0.0.0', 8), 2]))),
    step('ok', add(t.elem('m', ['11.0.0.1', 2]))),
  ),
  scenario(
    'concatenated ranges',
    step('ok', T, P, add(t.elem('p', concat(prefix('10.0.0.0', 24), range(1, 100))))),
    step('ok', add(t.elem('p', concat(prefix('10.0.0.0', 24), range(1, 100))))),
    step('EEXIST 0', create(t.elem('p', concat(prefix('10.0.0.0', 24), range(1, 100))))),
    step('ok', add(t.elem('p', concat(prefix('10.0.1.0', 24), range(1, 100))))),
  ),
  scenario(
    'concatenated ranges that overlap',
    step('ok', T, P, add(t.elem('p', concat(prefix('10.0.0.0', 24), range(10, 100))))),
    step('EEXIST 0', add(t.elem('p', concat('10.0.0.5', range(50, 200))))),
    step('EEXIST 0', add(t.elem('p', concat('10.0.0.5', 60)))),
    step('ok', add(t.elem('p', concat(prefix('10.0.0.0', 16), range(1, 1000))))),
  ),
  scenario(
    'deleting concatenated ranges',
    step(
      'ok',
      T,
      P,
      add(t.elem('p', concat(prefix('10.0.0.0', 24), range(10, 100)))),
      add(t.elem('p', concat('10.1.0.1', 7))),
    ),
    step('ok', remove(t.elem('p', concat('10.0.0.1', 10)))),
    step('ENOENT 0', remove(t.elem('p', concat(prefix('10.0.0.0', 24), range(10, 100))))),
  ),
];
