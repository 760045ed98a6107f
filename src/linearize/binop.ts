import type { Typed } from '../bytecode/index.ts';
import { datatype } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import { constant, inByteOrder } from './convert.ts';
import { at, CompileError, type Path } from './error.ts';
import { type BinaryOperator, type Expr, maxOf, type Value } from './expr.ts';
import type { Scope } from './scope.ts';

const OPERATORS = { '|': 'or', '&': 'and', '^': 'xor', '<<': 'lshift', '>>': 'rshift' } as const;

export type Operator = keyof typeof OPERATORS;

export const operators = Object.keys(OPERATORS) as readonly Operator[];

const amount: Typed = { type: datatype('integer'), bits: 32, byteorder: 'host' };

/** `{ "&": [left, right] }` and its like; more than two operands are taken from the left. */
export function evaluateBinop(
  operator: Operator,
  node: readonly Expression[],
  scope: Scope,
  path: Path | undefined,
  want: Typed | undefined,
): Expr {
  const place = at(path, operator);
  if (!Array.isArray(node) || node.length < 2) throw new CompileError(place, 'expected two operands');
  const op = OPERATORS[operator];
  let left = scope.evaluate(node[0], at(place, 0), want);
  for (let i = 1; i < node.length; i++) left = combine(op, left, node[i], scope, at(place, i), want);
  return left;
}

function combine(
  op: BinaryOperator,
  left: Expr,
  node: Expression,
  scope: Scope,
  path: Path,
  want: Typed | undefined,
): Expr {
  if (
    left.kind === 'verdict' ||
    left.kind === 'set' ||
    left.kind === 'range' ||
    left.kind === 'prefix' ||
    left.kind === 'concat'
  ) {
    throw new CompileError(path, 'the left operand must be a single value');
  }
  if (left.type.base !== 'integer' && left.type.base !== 'bitmask') {
    throw new CompileError(path, `${left.type.name} is text: it has no bits to calculate with`);
  }
  const wide = resultOf(left, want);
  if (op === 'lshift' || op === 'rshift') return shift(op, left, wide.bits, node, scope, path);
  const right = constantOperand(node, wide, scope, path);
  if (left.kind === 'value') return constant(left, fold(op, left, right) & maxOf(left.bits));
  return { ...wide, kind: 'binop', op, left: inByteOrder(left, wide.byteorder), right };
}

/** A value that goes to a wider place is calculated in that width, as a number of the host's. */
function resultOf(left: Expr, want: Typed | undefined): Typed {
  if (want !== undefined && want.bits > left.bits) {
    return { type: datatype('integer'), bits: want.bits, byteorder: 'host' };
  }
  return { type: left.type, bits: left.bits, byteorder: left.byteorder };
}

function constantOperand(node: Expression, want: Typed, scope: Scope, path: Path): Value {
  const right = scope.evaluate(node, path, want);
  if (right.kind !== 'value') throw new CompileError(path, 'the right operand must be a constant');
  return right;
}

function shift(
  op: 'lshift' | 'rshift',
  left: Expr,
  bits: number,
  node: Expression,
  scope: Scope,
  path: Path,
): Expr {
  const right = constantOperand(node, amount, scope, path);
  if (right.value >= BigInt(bits)) {
    throw new CompileError(path, `the value has ${bits} bits: expected 0 to ${bits - 1}`);
  }
  if (left.kind === 'value') return constant(left, fold(op, left, right) & maxOf(left.bits));
  return {
    kind: 'binop',
    op,
    type: left.type,
    bits,
    byteorder: 'host',
    left: inByteOrder(left, 'host'),
    right,
  };
}

function fold(op: BinaryOperator, left: Value, right: Value): bigint {
  switch (op) {
    case 'and':
      return left.value & right.value;
    case 'or':
      return left.value | right.value;
    case 'xor':
      return left.value ^ right.value;
    case 'lshift':
      return left.value << right.value;
    case 'rshift':
      return left.value >> right.value;
  }
}
