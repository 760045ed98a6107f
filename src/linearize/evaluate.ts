import { joinedBits, type Typed } from '../bytecode/index.ts';
import { quoted } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import { evaluateBinop, operators } from './binop.ts';
import { evaluateList, evaluateLiteral, evaluatePrefix, evaluateRange } from './constant.ts';
import { at, CompileError, type Path } from './error.ts';
import { type Concat, type Expr, unbounded } from './expr.ts';
import {
  evaluateDccpOption,
  evaluateExthdr,
  evaluateIpOption,
  evaluateSctpChunk,
  evaluateTcpOption,
} from './extension.ts';
import { evaluateMap } from './map.ts';
import {
  evaluateCt,
  evaluateFib,
  evaluateIpsec,
  evaluateJhash,
  evaluateMeta,
  evaluateNumgen,
  evaluateOsf,
  evaluateRt,
  evaluateSocket,
  evaluateSymhash,
  evaluateTunnel,
} from './metadata.ts';
import { evaluatePayload } from './payload.ts';
import type { Scope } from './scope.ts';
import { checkShape, expressionShapes } from './shape.ts';
import { evaluateVerdict, verdicts } from './verdict.ts';

type Evaluator = (node: never, scope: Scope, path: Path | undefined, want: Typed | undefined) => Expr;

/** One row for each kind of expression, by its key in the JSON. */
const evaluators: Readonly<Record<string, Evaluator>> = {
  payload: (node, scope, path) => evaluatePayload(node, scope, path),
  exthdr: (node, scope, path) => evaluateExthdr(node, scope, path),
  'tcp option': (node, scope, path) => evaluateTcpOption(node, scope, path),
  'ip option': (node, scope, path) => evaluateIpOption(node, scope, path),
  'sctp chunk': (node, scope, path) => evaluateSctpChunk(node, scope, path),
  'dccp option': (node, scope, path) => evaluateDccpOption(node, scope, path),
  meta: (node, scope, path) => evaluateMeta(node, scope, path),
  ct: (node, scope, path) => evaluateCt(node, scope, path),
  rt: (node, scope, path) => evaluateRt(node, scope, path),
  fib: (node, _scope, path) => evaluateFib(node, path),
  socket: (node, _scope, path) => evaluateSocket(node, path),
  tunnel: (node, _scope, path) => evaluateTunnel(node, path),
  osf: (node, _scope, path) => evaluateOsf(node, path),
  ipsec: (node, scope, path) => evaluateIpsec(node, scope, path),
  numgen: (node, _scope, path) => evaluateNumgen(node, path),
  symhash: (node, _scope, path) => evaluateSymhash(node, path),
  jhash: (node, scope, path) => evaluateJhash(node, scope, path),
  prefix: (node, scope, path, want) => evaluatePrefix(node, scope, path, want),
  range: (node, scope, path, want) => evaluateRange(node, scope, path, want),
  concat: (node, scope, path, want) => evaluateConcat(node, scope, path, want),
  map: (node, scope, path, want) => evaluateMap(node, scope, path, want),
  set: (_node, _scope, path) => {
    throw new CompileError(path, 'a set belongs on the right of a match or in a map');
  },
  elem: (_node, _scope, path) => {
    throw new CompileError(path, 'an element belongs in a set');
  },
  ...Object.fromEntries(
    operators.map((operator): [string, Evaluator] => [
      operator,
      (node, scope, path, want) => evaluateBinop(operator, node, scope, path, want),
    ]),
  ),
  ...Object.fromEntries(
    verdicts.map((name): [string, Evaluator] => [
      name,
      (node, _scope, path) => evaluateVerdict(name, node, path),
    ]),
  ),
};

/** Evaluates any expression: see {@link Scope.evaluate}. */
export function evaluate(node: Expression, scope: Scope, path: Path | undefined, want?: Typed): Expr {
  if (typeof node === 'string' && node.startsWith('@')) {
    const set = scope.namedSet(node, path);
    const [first] = set.key;
    return {
      kind: 'set',
      type: (first as Typed).type,
      bits: joinedBits(set.key),
      byteorder: (first as Typed).byteorder,
      set,
    };
  }
  if (
    typeof node === 'string' ||
    typeof node === 'number' ||
    typeof node === 'bigint' ||
    typeof node === 'boolean'
  ) {
    return evaluateLiteral(node, path, want);
  }
  if (Array.isArray(node)) return evaluateList(node as readonly Expression[], scope, path, want);
  if (typeof node !== 'object' || node === null)
    throw new CompileError(path, `expected an expression, not ${quoted(node)}`);
  const keys = Object.keys(node);
  const [kind] = keys;
  if (keys.length !== 1 || kind === undefined || !Object.hasOwn(evaluators, kind)) {
    throw new CompileError(
      path,
      `expected an object with one of the keys ${Object.keys(evaluators).join(', ')}, not ${keys.join(', ') || 'none'}`,
    );
  }
  const value = (node as Record<string, unknown>)[kind];
  if (Object.hasOwn(expressionShapes, kind)) {
    checkShape(value, expressionShapes[kind as keyof typeof expressionShapes], at(path, kind));
  }
  return (evaluators[kind] as Evaluator)(value as never, scope, path, want);
}

function evaluateConcat(
  node: readonly Expression[],
  scope: Scope,
  path: Path | undefined,
  want: Typed | undefined,
): Concat {
  const place = at(path, 'concat');
  if (!Array.isArray(node) || node.length < 2)
    throw new CompileError(place, 'a concatenation has two parts or more');
  const wanted = want !== undefined && 'parts' in want ? (want as Concat).parts : undefined;
  const parts = Array.from(node, (part, i) => unbounded(scope.evaluate(part, at(place, i), wanted?.[i])));
  for (const [i, part] of parts.entries()) {
    if (part.kind === 'set' || part.kind === 'verdict' || part.kind === 'concat') {
      throw new CompileError(at(place, i), 'a single value belongs here');
    }
    if (part.kind !== 'value' && (part.type.name === 'bitmask' || part.type.name === 'string'))
      throw new CompileError(at(place, i), `a ${part.type.name} has no width in a concatenation`);
  }
  const first = parts[0] as Expr;
  return { kind: 'concat', type: first.type, bits: joinedBits(parts), byteorder: first.byteorder, parts };
}
