import {
  accept,
  add,
  counter,
  create,
  destroy,
  flush,
  from,
  goTo,
  jump,
  remove,
  rename,
} from '../commands.ts';
import { type Scenario, scenario, step } from '../scenario.ts';
import { bridge, C, long, netdev, T, t } from './things.ts';

/** Chains. */
export const chainScenarios: readonly Scenario[] = [
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
];
