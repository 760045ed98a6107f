import { CompileError } from '../../src/linearize/index.ts';
import { stringify } from '../../src/model/index.ts';
import { compileCommands } from '../../src/transaction/index.ts';
import { type Answer, askJson, CRASH, comparable, tableOf } from '../support/nft-oracle.ts';
import type { RuleCase } from './arbitrary/rule.ts';
import { explanations, refusals } from './explained.ts';

/** The type of chain that the statements belong in. */
function typeOf(expr: RuleCase['expr']): string {
  return expr.some((one) => 'snat' in one || 'dnat' in one || 'redirect' in one) ? 'nat' : 'filter';
}

/** The commands that make a rule in a table of its own. */
export function commandsOf({ packet, sets, expr }: RuleCase, index: number): object[] {
  const at = { family: packet.family, table: tableOf(index) };
  const device = packet.family === 'netdev' ? { dev: 'lo' } : {};
  return [
    { add: { table: { family: at.family, name: at.table } } },
    { add: { chain: { ...at, name: 'other' } } },
    { add: { chain: { ...at, name: 'c', type: typeOf(expr), hook: packet.hook, prio: 0, ...device } } },
    ...sets.map((set) => ({
      add: Object.fromEntries(Object.entries(set).map(([kind, node]) => [kind, { ...at, ...node }])),
    })),
    { add: { rule: { ...at, chain: 'c', expr } } },
  ];
}

/** What we make of a rule; anything thrown but a CompileError is a fault that agrees with nothing. */
export function ours(rule: RuleCase, index: number): Answer {
  try {
    return { lines: compileCommands(commandsOf(rule, index) as never).flat() };
  } catch (error) {
    if (error instanceof CompileError) return { error: error.message };
    return { error: `not a CompileError: ${error instanceof Error ? error.stack : error}` };
  }
}

/** What nft makes of rules. */
export const nfts = (rules: readonly RuleCase[]): Answer[] =>
  askJson(
    rules.map((rule, i) =>
      commandsOf(rule, i)
        .map((command) => stringify(command))
        .join(','),
    ),
  );

/** An answer as one line. */
export const text = (answer: Answer) =>
  'error' in answer ? `refused: ${answer.error}` : comparable(answer.lines).join(' ');

/** Whether both make the same of a rule, or both refuse it, or the difference is explained. */
export function agree(rule: RuleCase, mine: Answer, nft: Answer): boolean {
  if ('error' in mine && mine.error.startsWith('not a CompileError')) return false;
  if ('error' in nft && nft.error === CRASH) return true;
  if ('error' in mine && 'error' in nft) return true;
  if (text(mine) === text(nft)) return true;
  if ('error' in mine || 'error' in nft) return refusals.some(({ covers }) => covers(rule, mine, nft));
  const explained = (answer: Answer) =>
    explanations.reduce((line, { without }) => without(line, rule), text(answer));
  return explained(mine) === explained(nft);
}
