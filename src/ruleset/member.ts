import { type Instruction, type IsNamed, SET_FLAGS, type SetDeclaration } from '../bytecode/index.ts';
import { fromBytes } from '../datatype/index.ts';
import type { Scope } from '../linearize/index.ts';
import { CompileError, encodeElements, evaluateElements, joinedBits, type Path } from '../linearize/index.ts';
import type { Expression } from '../model/index.ts';
import { elementKey } from '../transaction/index.ts';
import { elementContent } from './essence.ts';
import { elementReferences } from './reference.ts';

/** An element of a named set or map, ready to be compared. */
export interface Member {
  /** As the caller has it. */
  readonly node: Expression;
  /** The key, as text. */
  readonly key: string;
  /** The first and last value of an interval, in sets of intervals. */
  readonly interval?: readonly [low: bigint, high: bigint];
  /** What it carries beside its key and timeout; empty where there is nothing. */
  readonly content: string;
  /** Milliseconds; its own, or what its set gives to all. */
  readonly timeout: bigint | undefined;
  readonly isTimed: boolean;
  readonly references: readonly string[];
  readonly path: Path;
}

/** Elements as the caller listed them, and where. */
export interface ElementList {
  readonly nodes: Expression | readonly Expression[];
  readonly path: Path;
}

/** What the elements of a set get where they say nothing. */
export interface ElementDefaults {
  readonly timeout?: bigint | undefined;
  readonly expressions: readonly Instruction[];
}

/**
 * Evaluates elements.
 *
 * @throws CompileError at the element that the set cannot hold
 */
export function membersOf(
  { nodes, path }: ElementList,
  set: SetDeclaration,
  given: ElementDefaults,
  scope: Scope,
  isNamed: IsNamed,
): Member[] {
  const list = (Array.isArray(nodes) ? nodes : [nodes]) as readonly Expression[];
  const layout = { key: set.key, data: set.data, flags: set.flags };
  const intervals = (set.flags & SET_FLAGS.interval) !== 0 && set.key.length === 1;
  const objects = set.data?.kind === 'object' ? set.data.object : undefined;
  return evaluateElements(list, set.key, set.data, scope, path).map((element): Member => {
    const [first, end] = encodeElements([element], layout);
    if (first === undefined) throw new CompileError(element.path, 'this is no element');
    const { timeout, expressions = given.expressions, ...rest } = first;
    // Kernels before 6.12 tell zero as they tell its absence.
    const isGiven = timeout === undefined || timeout === 0n || timeout === given.timeout;
    return {
      node: list[element.source] as Expression,
      key: elementKey(first),
      ...(intervals && first.key !== undefined
        ? { interval: [fromBytes(first.key, 'network'), lastOf(end?.key, set)] }
        : {}),
      content: elementContent({ ...rest, expressions }, isNamed),
      timeout: isGiven ? given.timeout : timeout,
      isTimed: !isGiven,
      references: elementReferences(first, objects),
      path: element.path,
    };
  });
}

/** The end of an interval is the key after its last; without one it goes on to the greatest. */
function lastOf(end: Uint8Array | undefined, set: SetDeclaration): bigint {
  if (end !== undefined) return fromBytes(end, 'network') - 1n;
  return (1n << BigInt(Math.ceil(joinedBits(set.key) / 8) * 8)) - 1n;
}

/** An element as what names it alone, to delete it: the key, and in maps its value. */
export function bareNode(node: Expression, isMap: boolean): Expression {
  if (isMap && Array.isArray(node)) return [bareKey(node[0] as Expression), node[1] as Expression];
  return bareKey(node);
}

function bareKey(node: Expression): Expression {
  return typeof node === 'object' && node !== null && 'elem' in node ? node.elem.val : node;
}

/** An element with the time that it would get from its set; in seconds, 0 for ever. */
export function timedNode(node: Expression, timeout: number, isMap: boolean): Expression {
  if (isMap && Array.isArray(node)) return [timedKey(node[0] as Expression, timeout), node[1] as Expression];
  return timedKey(node, timeout);
}

function timedKey(node: Expression, timeout: number): Expression {
  if (typeof node !== 'object' || node === null || !('elem' in node)) return { elem: { val: node, timeout } };
  return node.elem.timeout === undefined ? { elem: { ...node.elem, timeout } } : node;
}

/** Elements to add: those that were there just the same as they were, with what they counted and their time. */
export function nodesWithStateOf(members: readonly Member[], before: readonly Member[]): Expression[] {
  const identity = ({ key, interval, content, timeout, isTimed }: Member) =>
    `${key} ${interval?.[1] ?? ''} ${isTimed} ${timeout} ${content}`;
  const there = new Map(before.map((member) => [identity(member), member.node]));
  return members.map((member) => there.get(identity(member)) ?? member.node);
}
