import { add, prefix, timed } from '../commands.ts';
import { type Scenario, scenario, step } from '../scenario.ts';
import { S, T, t, timeouts } from './things.ts';

/** Elements that time removes. */
export const timeoutScenarios: readonly Scenario[] = [
  scenario(
    'a timeout where the set knows none',
    step('ok', T, S),
    step('EINVAL 0', add(t.elem('s', timed('10.0.0.1', 60)))),
  ),
  scenario(
    'timeouts',
    step('ok', T, add(t.set('s', { timeout: 3600 }))),
    step('ok', add(t.elem('s', '10.0.0.1', timed('10.0.0.2', 60), timed('10.0.0.3', 3600)))),
    step('ok', add(t.elem('s', timed('10.0.0.1', 90)))),
  ),
  scenario(
    'timeouts of elements alone',
    step('ok', T, add(t.set('s', timeouts))),
    step('ok', add(t.elem('s', '10.0.0.1', timed('10.0.0.2', 60)))),
    step('ok', add(t.elem('s', timed('10.0.0.1', 90)))),
  ),
  scenario(
    'what remains of a timeout',
    step('ok', T, add(t.set('s', timeouts))),
    step('ok', add(t.elem('s', timed('10.0.0.2', 60, { expires: 30 })))),
    step('ERANGE 0', add(t.elem('s', timed('10.0.0.3', 60, { expires: 90 })))),
    step('EOPNOTSUPP 0', add(t.elem('s', { elem: { val: '10.0.0.4', expires: 90 } }))),
  ),
  scenario(
    'intervals with timeouts',
    step('ok', T, add(t.set('r', { flags: ['interval', 'timeout'] }))),
    step('ok', add(t.elem('r', timed(prefix('10.0.0.0', 8), 60)))),
  ),
];
