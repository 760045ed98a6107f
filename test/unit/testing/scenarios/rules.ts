import { accept, add, counter, destroy, insert, remove, replace, to } from '../commands.ts';
import { type Scenario, scenario, step } from '../scenario.ts';
import { C, T, t } from './things.ts';

/** Rules: their order, their handles, what takes their place. */
export const ruleScenarios: readonly Scenario[] = [
  scenario('a rule without a chain', step('ok', T), step('ENOENT 0', add(t.rule('c', [accept])))),
  scenario(
    'rules in order',
    step('ok', T, C, add(t.rule('c', [to(1)])), add(t.rule('c', [to(2)])), insert(t.rule('c', [to(3)]))),
  ),
  scenario(
    'rules by index',
    step('ok', T, C, add(t.rule('c', [to(1)])), add(t.rule('c', [to(2)]))),
    step('ok', add(t.rule('c', [to(3)], { index: 0 }))),
    step('ok', insert(t.rule('c', [to(4)], { index: 0 }))),
    step('ok', insert(t.rule('c', [to(5)], { index: 2 })), add(t.rule('c', [to(6)], { index: 2 }))),
  ),
  scenario(
    'rules by handle',
    step('ok', T, C, add(t.rule('c', [to(1)])), add(t.rule('c', [to(2)]))),
    step('ok', add(t.rule('c', [to(3)], { handle: 2 }))),
    step('ok', insert(t.rule('c', [to(4)], { handle: 3 }))),
    step('ENOENT 0', add(t.rule('c', [to(5)], { handle: 77 }))),
  ),
  scenario(
    'replacing a rule',
    step('ok', T, C, add(t.rule('c', [to(1)])), add(t.rule('c', [to(2)]))),
    step('ok', replace(t.rule('c', [to(9)], { handle: 2 }))),
    step('ok', replace(t.rule('c', [to(8)], { handle: 2 }))),
  ),
  scenario(
    'replacing a rule with its set',
    step('ok', T, C, add(t.rule('c', [to({ set: [1, 2] })])), add(t.rule('c', [counter]))),
    step('ok', replace(t.rule('c', [to({ set: [3, 4, 5] })], { handle: 3 }))),
    step('ENOENT 0', remove(t.ruleAt('c', 5))),
  ),
  scenario(
    'deleting a rule',
    step('ok', T, C, add(t.rule('c', [to(1)])), add(t.rule('c', [to(2)]))),
    step('ok', remove(t.ruleAt('c', 2))),
    step('ENOENT 0', remove(t.ruleAt('c', 2))),
    step('ok', destroy(t.ruleAt('c', 2))),
  ),
  scenario(
    'deleting a rule of a chain that is not there',
    step('ok', T),
    step('ENOENT 0', remove(t.ruleAt('c', 2))),
    step('ok', destroy(t.ruleAt('c', 2))),
  ),
  scenario(
    'deleting a rule twice at once',
    step('ok', T, C, add(t.rule('c', [accept]))),
    step('ENOENT 1', remove(t.ruleAt('c', 2)), remove(t.ruleAt('c', 2))),
  ),
  scenario('a rule with a comment', step('ok', T, C, add(t.rule('c', [accept], { comment: 'why not' })))),
  scenario(
    'handles are not given twice',
    step('ok', T, C, add(t.rule('c', [accept]))),
    step('ENOENT 1', add(t.rule('c', [counter])), remove(t.chain('d'))),
    step('ok', add(t.rule('c', [counter]))),
  ),
];
