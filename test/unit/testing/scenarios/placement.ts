import { accept, add, flush, jump, remove, to, vmap } from '../commands.ts';
import { type Scenario, scenario, step } from '../scenario.ts';
import { C, dnat, T, t } from './things.ts';

/** What a statement may do only in some chains. */
export const placementScenarios: readonly Scenario[] = [
  scenario(
    'translation where it belongs',
    step('ok', T, add(t.base('b', 'prerouting', { type: 'nat', prio: -100 })), add(t.rule('b', [dnat]))),
  ),
  scenario(
    'translation in a filter',
    step('ok', T, add(t.base('b', 'prerouting'))),
    step('EOPNOTSUPP 0', add(t.rule('b', [dnat]))),
  ),
  scenario(
    'translation of sources before routing',
    step('ok', T, C, add(t.rule('c', [{ masquerade: null }]))),
    step(
      'EOPNOTSUPP 1',
      add(t.base('b', 'prerouting', { type: 'nat', prio: -100 })),
      add(t.rule('b', [jump('c')])),
    ),
  ),
  scenario(
    'translation in a chain that is jumped to',
    step('ok', T, C, add(t.rule('c', [dnat])), add(t.base('b'))),
    step('EOPNOTSUPP 0', add(t.rule('b', [jump('c')]))),
  ),
  scenario(
    'a reject where nobody hears',
    step('ok', T, add(t.base('b', 'postrouting'))),
    step('EOPNOTSUPP 0', add(t.rule('b', [{ reject: null }]))),
  ),
  scenario(
    'a reject',
    step(
      'ok',
      T,
      add(t.base('b', 'input')),
      add(t.rule('b', [{ reject: { type: 'icmpx', expr: 'port-unreachable' } }])),
    ),
  ),
  scenario(
    'redirects',
    step('ok', T, C, add(t.rule('c', [to(8080), { redirect: { port: 80 } }]))),
    step(
      'EOPNOTSUPP 1',
      add(t.base('b', 'postrouting', { type: 'nat', prio: 100 })),
      add(t.rule('b', [jump('c')])),
    ),
  ),
  scenario(
    'a verdict map of a rule',
    step(
      'ok',
      T,
      C,
      add(t.chain('d')),
      add(
        t.rule('c', [
          vmap({
            set: [
              ['192.0.2.1', accept],
              ['192.0.2.2', jump('d')],
            ],
          }),
        ]),
      ),
    ),
    step('EBUSY 0', remove(t.chain('d'))),
    step('ok', flush(t.chain('c')), remove(t.chain('d'))),
  ),
  scenario(
    'a verdict map of a rule, to nowhere',
    step('ok', T, C),
    step('ENOENT 0', add(t.rule('c', [vmap({ set: [['192.0.2.1', jump('d')]] })]))),
  ),
];
