import {
  accept,
  add,
  concat,
  counter,
  create,
  destroy,
  flush,
  from,
  jump,
  prefix,
  range,
  remove,
  timed,
  to,
  update,
  vmap,
  within,
} from './commands.ts';
import { type Scenario, scenario, step } from './scenario.ts';

const t = within('inet');
const T = add(t.table());
const C = add(t.chain('c'));
const interval = { flags: ['interval'] };
const constant = { flags: ['constant'] };
const timeouts = { flags: ['timeout'] };
const pairs = { type: ['ipv4_addr', 'inet_service'] };
const S = add(t.set('s'));
const R = add(t.set('r', interval));
const P = add(t.set('p', { ...pairs, ...interval }));
const M = add(t.map('m'));
const numbers = (count: number, net = 1) => Array.from({ length: count }, (_, i) => `10.0.${net}.${i + 1}`);
const named = t.named;

/** Sets, maps, elements and objects. */
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
