import type { Typed } from '../bytecode/index.ts';
import { datatype } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import { constant, inByteOrder } from './convert.ts';
import { at, CompileError, type Path } from './error.ts';
import type { BinaryOperator, Expr, Value } from './expr.ts';
import { maxOf } from './expr.ts';
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
  for (let i = 1; i < node.length; i++) left = combine(op, left, node[i], scope, at(place, i));
  return left;
}

function combine(op: BinaryOperator, left: Expr, node: Expression, scope: Scope, path: Path): Expr {
  const shift = op === 'lshift' || op === 'rshift';
  const right = scope.evaluate(node, path, shift ? amount : left);
  if (right.kind !== 'value') throw new CompileError(path, 'the right operand must be a constant');
  if (left.kind === 'value') return constant(left, fold(op, left, right) & maxOf(left.bits));
  if (left.kind === 'verdict' || left.kind === 'set' || left.kind === 'range' || left.kind === 'prefix') {
    throw new CompileError(path, 'the left operand must be a single value');
  }
  if (shift) {
    if (right.value >= BigInt(left.bits)) throw new CompileError(path, `the value has ${left.bits} bits: nothing is left of it`);
    const host = inByteOrder(left, 'host');
    return { kind: 'binop', op, type: left.type, bits: left.bits, byteorder: 'host', left: host, right };
  }
  return { kind: 'binop', op, type: left.type, bits: left.bits, byteorder: left.byteorder, left, right };
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
