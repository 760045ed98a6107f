import type { Instruction } from '../bytecode/index.ts';
import type { Rule, Statement } from '../model/index.ts';

type Node = Readonly<Record<string, unknown>>;

/** What of a named object passes with time, or cannot be told from its absence: no part of what is compared. */
const objectState: Readonly<Record<string, (node: Node) => Node>> = {
  counter: ({ packets: _, bytes: __, ...rest }) => rest,
  quota: ({ used: _, ...rest }) => rest,
  // The kernel tells zeros where nothing was said.
  synproxy: ({ mss, wscale, ...rest }) => ({
    ...rest,
    ...(mss ? { mss } : {}),
    ...(wscale ? { wscale } : {}),
  }),
};

/** A named object without its state. */
export function withoutState(kind: string, node: Node): Node {
  return objectState[kind]?.(node) ?? node;
}

/** An instruction without what it has counted. */
export function uncounted(instruction: Instruction): Instruction {
  switch (instruction.name) {
    case 'counter':
      return { ...instruction, packets: 0n, bytes: 0n };
    case 'quota':
      // Flag 2 says that it is used up.
      return { ...instruction, consumed: undefined, flags: (instruction.flags ?? 0) & 1 };
    case 'last':
      return { ...instruction, set: undefined, msecs: undefined };
    default:
      return instruction;
  }
}

/** An object with the state of the one whose place it takes. */
export function withStateOf(kind: string, node: Node, { packets, bytes, used }: Node): Node {
  if (kind === 'counter') return { ...node, packets: packets ?? 0, bytes: bytes ?? 0 };
  if (kind === 'quota' && used !== undefined) return { ...node, used };
  return node;
}

/** A rule whose counters and quotas go on where those of another one, in whose place it comes, stand. */
export function ruleWithStateOf(rule: Rule, old: Rule): Rule {
  const counters = (old.expr ?? []).flatMap((statement) => own(statement, 'counter'));
  const quotas = (old.expr ?? []).flatMap((statement) => own(statement, 'quota'));
  const expr = rule.expr?.map((statement): Statement => {
    const [counter] = own(statement, 'counter');
    if (counter !== undefined) {
      const { packets, bytes } = counters.shift() ?? counter;
      return packets === undefined && bytes === undefined
        ? statement
        : ({ counter: { packets: packets ?? 0, bytes: bytes ?? 0 } } as Statement);
    }
    const [quota] = own(statement, 'quota');
    if (quota === undefined) return statement;
    const { used, used_unit } = quotas.shift() ?? quota;
    if (used === undefined) return statement;
    const { used: _, used_unit: __, ...rest } = quota;
    return {
      quota: { ...rest, used, ...(used_unit === undefined ? {} : { used_unit }) },
    } as unknown as Statement;
  });
  return expr === undefined ? rule : { ...rule, expr };
}

/** The state that a statement has itself; none where it refers to a named object. */
function own(statement: Statement, kind: 'counter' | 'quota'): Node[] {
  if (!(kind in statement)) return [];
  const value = (statement as unknown as Node)[kind];
  if (value === null) return [{}];
  return typeof value === 'object' && !('map' in (value as object)) ? [value as Node] : [];
}
