import { add, counter, goTo, jump, remove, vmap } from '../commands.ts';
import { type Scenario, scenario, step } from '../scenario.ts';
import { C, other, T, t } from './things.ts';

/** Jumps from each chain to the next: `first` is a base chain. */
const stairs = (count: number) => [
  add(t.base('b0')),
  ...Array.from({ length: count }, (_, i) => add(t.chain(`b${i + 1}`))),
  ...Array.from({ length: count }, (_, i) => add(t.rule(`b${i}`, [jump(`b${i + 1}`)]))),
];

/** Jumps between chains. */
export const jumpScenarios: readonly Scenario[] = [
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
];
