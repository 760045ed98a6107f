import type { Instruction } from '../bytecode/index.ts';
import { MESSAGE, NLM, rule as schema } from '../message/index.ts';
import { decodeOpen, type ValueOf } from '../wire/schema.ts';
import { takeUp } from './instruction.ts';
import type { BatchMessage } from './program-reader.ts';
import { demand, Refused } from './refusal.ts';
import { hold, nextHandle, type Run, tableOf } from './run.ts';
import { dropAnonymous } from './set.ts';
import type { Chain, Rule, Table } from './state.ts';

const NFTA_RULE = { chain: 2, handle: 3, expressions: 4, position: 6, positionId: 10 } as const;
/** NFT_RULE_MAXEXPRS */
const LONGEST = 128;

type Given = Partial<ValueOf<typeof schema>>;

function chainOf(table: Table, name: string | undefined): Chain {
  const chain = table.chains.get(name ?? '');
  demand(chain, 'ENOENT', NFTA_RULE.chain);
  return chain;
}

/** NFT_MSG_NEWRULE: adds a rule, or replaces one. */
export function newRule(run: Run, message: BatchMessage): void {
  const { value } = decodeOpen(schema, message.attributes);
  const table = tableOf(run, message, value.table);
  const chain = chainOf(table, value.chain);
  const replaced = value.handle === undefined ? undefined : findRule(chain, value.handle, NFTA_RULE.handle);
  if (replaced !== undefined) {
    demand(!(message.flags & NLM.EXCL), 'EEXIST', NFTA_RULE.handle);
    demand(message.flags & NLM.REPLACE, 'EOPNOTSUPP');
  }
  const handle = replaced?.handle ?? nextHandle(table);
  const neighbour = replaced ?? neighbourOf(run, chain, value);
  const expressions = (value.expressions ?? []) as readonly Instruction[];
  demand(expressions.length <= LONGEST, 'EINVAL');

  expressions.forEach((instruction, i) => {
    const code = run.machine.refusalOf(instruction, message.family);
    if (code !== undefined) throw new Refused(code, [NFTA_RULE.expressions, LIST_ELEM], i);
  });
  const taken = expressions.map((instruction, i) => {
    try {
      return takeUp(run, table, instruction);
    } catch (error) {
      if (error instanceof Refused) throw new Refused(error.code, [NFTA_RULE.expressions, LIST_ELEM], i);
      throw error;
    }
  });
  const uses = taken.flatMap(({ uses: some }) => some);
  const rule: Rule = {
    chain,
    handle,
    expressions: taken.map(({ instruction }) => instruction),
    userdata: value.userdata,
    uses,
  };
  if (value.id !== undefined) run.ruleIds.set(value.id, rule);

  const append = (message.flags & NLM.APPEND) !== 0;
  const after = append && replaced === undefined;
  const next =
    neighbour === undefined
      ? after
        ? chain.rules.length
        : 0
      : chain.rules.indexOf(neighbour) + Number(after);
  if (replaced !== undefined) removeRule(run, message, replaced);
  run.news.ruleMade(message, rule, { neighbour, after });
  run.journal.list(chain, 'rules').splice(next, 0, rule);
  run.journal.set(table, 'unproven', true);
}

const LIST_ELEM = 1;

function findRule(chain: Chain, handle: bigint, attribute: number): Rule {
  const rule = chain.rules.find((one) => one.handle === handle);
  demand(rule, 'ENOENT', attribute);
  return rule;
}

function neighbourOf(run: Run, chain: Chain, { position, positionId }: Given): Rule | undefined {
  if (position !== undefined) return findRule(chain, position, NFTA_RULE.position);
  if (positionId === undefined) return undefined;
  const rule = run.ruleIds.get(positionId);
  demand(rule?.chain === chain && chain.rules.includes(rule), 'ENOENT', NFTA_RULE.positionId);
  return rule;
}

/** NFT_MSG_DELRULE and NFT_MSG_DESTROYRULE: one rule, all of a chain, or all of a table. */
export function deleteRule(run: Run, message: BatchMessage): void {
  const { value } = decodeOpen(schema, message.attributes);
  const table = tableOf(run, message, value.table);
  const lenient = message.type === MESSAGE.DESTROYRULE;
  if (value.chain === undefined) {
    for (const chain of table.chains.values()) removeAll(run, message, chain);
    return;
  }
  if (lenient && !table.chains.has(value.chain)) return;
  const chain = chainOf(table, value.chain);
  if (value.handle === undefined) {
    removeAll(run, message, chain);
    return;
  }
  if (lenient && !chain.rules.some((rule) => rule.handle === value.handle)) return;
  demand(!run.deleted.get(chain)?.has(value.handle), 'ENOENT');
  removeRule(run, message, findRule(chain, value.handle, NFTA_RULE.handle));
}

function removeAll(run: Run, message: BatchMessage, chain: Chain): void {
  for (const rule of chain.rules) letGo(run, message, rule);
  if (chain.rules.length > 0) run.journal.set(chain, 'rules', []);
}

/** Takes a rule away, and the anonymous sets that were its own. */
export function removeRule(run: Run, message: BatchMessage, rule: Rule): void {
  letGo(run, message, rule);
  const rules = run.journal.list(rule.chain, 'rules');
  rules.splice(rules.indexOf(rule), 1);
}

function letGo(run: Run, message: BatchMessage, rule: Rule): void {
  run.news.ruleGone(message, rule);
  const deleted = run.deleted.get(rule.chain) ?? new Set();
  run.deleted.set(rule.chain, deleted.add(rule.handle));
  for (const use of rule.uses) {
    hold(run.journal, use, -1);
    if (use.kind === 'set') dropAnonymous(run, message, use.target);
  }
}
