import type { Instruction, MapData, Typed } from '../bytecode/index.ts';
import type { ConcatExpression, Elem, Expression } from '../model/index.ts';
import { checkComment } from './comment.ts';
import { at, CompileError, type Path } from './error.ts';
import type { Expr, Prefix, Range, Value } from './expr.ts';
import { checkName } from './name.ts';
import type { Scope } from './scope.ts';
import { checkShape, expressionShapes } from './shape.ts';
import { evaluateStateful } from './stateful.ts';

/** One part of a key. */
export type KeyPart = Value | Prefix | Range;

/** An element of a set, evaluated but not yet in the kernel's form. */
export interface EvaluatedElement {
  /** Absent for the catch-all, `*`. */
  readonly key?: readonly KeyPart[] | undefined;
  readonly data?: Expr | undefined;
  /** The name of the object that the key maps to. */
  readonly object?: string | undefined;
  readonly timeout?: bigint | undefined;
  readonly expiration?: bigint | undefined;
  readonly comment?: string | undefined;
  readonly expressions?: readonly Instruction[] | undefined;
  /** Its place among the caller's elements. */
  readonly source: number;
  readonly path: Path;
}

const SECOND = 1000n;

/** Evaluates elements against the key and data of their set. */
export function evaluateElements(
  nodes: Expression | readonly Expression[],
  key: readonly Typed[],
  data: MapData | undefined,
  scope: Scope,
  path: Path | undefined,
): EvaluatedElement[] {
  const list = Array.isArray(nodes) ? (nodes as readonly Expression[]) : [nodes as Expression];
  return Array.from(list, (node, i) => evaluateElement(node, key, data, scope, i, at(path, i)));
}

/** All elements get the same shape, whatever they carry: sets can be large. */
function evaluateElement(
  node: Expression,
  key: readonly Typed[],
  data: MapData | undefined,
  scope: Scope,
  source: number,
  path: Path,
): EvaluatedElement {
  const pair = data === undefined ? undefined : pairOf(node, path);
  const keyNode = pair === undefined ? node : pair[0];
  const keyPath = pair === undefined ? path : at(path, 0);
  const elem = isElem(keyNode) ? keyNode.elem : undefined;
  const inside = elem === undefined ? keyPath : at(keyPath, 'elem');
  if (elem !== undefined) checkShape(elem, expressionShapes.elem, inside);
  const val = elem === undefined ? (keyNode as Expression) : elem.val;
  const { timeout, expires, comment } = elem ?? {};
  const evaluated =
    val === '*'
      ? undefined
      : evaluateParts(val, key, scope, elem === undefined ? keyPath : at(inside, 'val'));
  const mapped = pair && data && evaluateData(pair[1], data, scope, at(path, 1));
  return {
    key: evaluated,
    data: mapped?.data,
    object: mapped?.object,
    timeout: timeout === undefined ? undefined : milliseconds(timeout, at(inside, 'timeout')),
    expiration: expires === undefined ? undefined : milliseconds(expires, at(inside, 'expires')),
    comment: checkComment(comment, at(inside, 'comment')),
    expressions: elem && statefulOf(elem, scope, inside),
    source,
    path,
  };
}

function pairOf(node: Expression, path: Path): readonly [Expression, Expression] {
  if (!Array.isArray(node) || node.length !== 2) {
    throw new CompileError(path, 'an element of a map is a pair: [key, value]');
  }
  return node as unknown as readonly [Expression, Expression];
}

function isElem(node: Expression): node is { readonly elem: Elem } {
  return typeof node === 'object' && node !== null && 'elem' in node;
}

const STATEFUL = ['counter', 'quota', 'limit', 'last', 'ct count'] as const;

function statefulOf(elem: Elem, scope: Scope, path: Path): readonly Instruction[] | undefined {
  const expressions = STATEFUL.filter((kind) => kind in elem).map((kind) =>
    evaluateStateful(kind, elem[kind], scope, at(path, kind)),
  );
  return expressions.length === 0 ? undefined : expressions;
}

/** Seconds of the model to the kernel's milliseconds. */
export function milliseconds(seconds: number, path: Path): bigint {
  const number = Math.round(seconds * 1000);
  if (Number.isFinite(number) && number >= 0 && number < 2 ** 64) return BigInt(number);
  throw new CompileError(path, 'expected a number of seconds');
}

/** Milliseconds of the kernel to the model's seconds. */
export function seconds(milliseconds: bigint): number {
  return milliseconds % SECOND === 0n ? Number(milliseconds / SECOND) : Number(milliseconds) / 1000;
}

function evaluateParts(node: Expression, key: readonly Typed[], scope: Scope, path: Path): KeyPart[] {
  if (key.length === 1) return [evaluatePart(node, key[0] as Typed, scope, path)];
  if (typeof node !== 'object' || node === null || !('concat' in node)) {
    throw new CompileError(
      path,
      `the key has ${key.length} parts: write { concat: […] } with one value for each`,
    );
  }
  const parts = (node as ConcatExpression).concat;
  if (!Array.isArray(parts)) throw new CompileError(at(path, 'concat'), 'expected a list of values');
  if (parts.length !== key.length) {
    throw new CompileError(at(path, 'concat'), `${parts.length} parts where the key has ${key.length}`);
  }
  return Array.from(parts, (part, i) =>
    evaluatePart(part, key[i] as Typed, scope, at(at(path, 'concat'), i)),
  );
}

function evaluatePart(node: Expression, want: Typed, scope: Scope, path: Path): KeyPart {
  const part = scope.evaluate(node, path, want);
  if (part.kind === 'range' && part.low > part.high)
    throw new CompileError(path, 'the range ends before it starts');
  if (part.kind === 'value' || part.kind === 'prefix' || part.kind === 'range') return part;
  throw new CompileError(path, `an element is a constant of type ${want.type.name}`);
}

function evaluateData(
  node: Expression,
  data: MapData,
  scope: Scope,
  path: Path,
): { data?: Expr; object?: string } {
  if (data.kind === 'object') {
    if (typeof node !== 'string') throw new CompileError(path, `the name of a ${data.object} belongs here`);
    return { object: checkName(node, path) };
  }
  if (data.kind === 'verdict') {
    const verdict = scope.evaluate(node, path);
    if (verdict.kind !== 'verdict') throw new CompileError(path, 'a verdict belongs here');
    return { data: verdict };
  }
  const [first] = data.parts;
  if (data.parts.length === 1 && first) return { data: evaluatePart(node, first, scope, path) };
  const parts = evaluateParts(node, data.parts, scope, path);
  const bits = parts.reduce((sum, part) => sum + Math.ceil(part.bits / 32) * 32, 0);
  return { data: { kind: 'concat', type: (parts[0] as Typed).type, bits, byteorder: 'network', parts } };
}
