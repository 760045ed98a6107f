import { type Instruction, understood } from '../../bytecode/index.ts';
import type { Opaque, OwnSet, Statement } from '../../model/index.ts';
import { at, CompileError, type Path } from '../error.ts';
import { evaluateVmap } from '../map.ts';
import { declareOwnSet } from '../own-set.ts';
import type { Scope } from '../scope.ts';
import { bare, checkShape, statementShapes } from '../shape.ts';
import { evaluateVerdict, verdicts } from '../verdict.ts';
import {
  evaluateDup,
  evaluateFlow,
  evaluateFwd,
  evaluateQueue,
  evaluateSynproxy,
  evaluateTproxy,
} from './forward.ts';
import { evaluateLog } from './log.ts';
import { evaluateMangle, evaluateReset } from './mangle.ts';
import { evaluateMatch } from './match.ts';
import { evaluateMeter } from './meter.ts';
import { evaluateNat, evaluatePortNat } from './nat.ts';
import { evaluateReject } from './reject.ts';
import { evaluateMapStatement, evaluateSetStatement } from './set-update.ts';
import { evaluateObjectReference, evaluateStatefulStatement, isReference } from './stateful.ts';

type StatementEvaluator = (node: never, scope: Scope, path: Path) => void;

/** One row for each kind of statement, by its key in the JSON. */
const evaluators: Readonly<Record<string, StatementEvaluator>> = {
  match: evaluateMatch,
  vmap: (node, scope, path) => {
    const map = evaluateVmap(node, scope, path);
    scope.action((emitter) => emitter.verdict(map));
  },
  counter: (node, scope, path) => evaluateStatefulStatement('counter', node, scope, path),
  quota: (node, scope, path) => evaluateStatefulStatement('quota', node, scope, path),
  limit: (node, scope, path) => evaluateStatefulStatement('limit', node, scope, path),
  last: (node, scope, path) => evaluateStatefulStatement('last', node, scope, path),
  'ct count': (node, scope, path) => evaluateStatefulStatement('ct count', node, scope, path),
  'ct helper': (node, scope, path) => evaluateObjectReference('ct helper', node, scope, path),
  'ct timeout': (node, scope, path) => evaluateObjectReference('ct timeout', node, scope, path),
  'ct expectation': (node, scope, path) => evaluateObjectReference('ct expectation', node, scope, path),
  secmark: (node, scope, path) => evaluateObjectReference('secmark', node, scope, path),
  log: evaluateLog,
  mangle: evaluateMangle,
  set: evaluateSetStatement,
  map: evaluateMapStatement,
  meter: evaluateMeter,
  tunnel: (node, scope, path) => evaluateObjectReference('tunnel', node, scope, path),
  snat: (node, scope, path) => evaluateNat('snat', node, scope, path),
  dnat: (node, scope, path) => evaluateNat('dnat', node, scope, path),
  masquerade: (node, scope, path) => evaluatePortNat('masquerade', node, scope, path),
  redirect: (node, scope, path) => evaluatePortNat('redirect', node, scope, path),
  reject: evaluateReject,
  fwd: evaluateFwd,
  dup: evaluateDup,
  tproxy: evaluateTproxy,
  queue: evaluateQueue,
  synproxy: (node, scope, path) =>
    isReference(node)
      ? evaluateObjectReference('synproxy', node, scope, path)
      : evaluateSynproxy(node, scope, path),
  flow: evaluateFlow,
  notrack: (_node, scope) => scope.action((emitter) => emitter.push({ name: 'notrack' })),
  reset: evaluateReset,
  opaque: evaluateOpaque,
  ...Object.fromEntries(
    verdicts.map((name): [string, StatementEvaluator] => [
      name,
      (node, scope, path) => {
        const verdict = evaluateVerdict(name, node, path);
        scope.action((emitter) => emitter.verdict(verdict));
      },
    ]),
  ),
};

/** Nothing that follows these in a rule is ever reached. */
const terminal: ReadonlySet<string> = new Set(
  'accept drop return jump goto queue reject snat dnat masquerade redirect'.split(' '),
);

/** Whether the rule ends with this statement. */
export function isTerminal(statement: Statement): boolean {
  for (const kind in statement) if (terminal.has(kind)) return true;
  return false;
}

/** Statements that may name an object instead. */
const references: ReadonlySet<string> = new Set(['counter', 'quota', 'limit', 'synproxy']);

/** Evaluates a statement into the scope. */
export function evaluateStatement(node: Statement, scope: Scope, path: Path): void {
  const keys = typeof node === 'object' && node !== null ? Object.keys(node) : [];
  const [kind] = keys;
  if (keys.length !== 1 || kind === undefined || !Object.hasOwn(evaluators, kind)) {
    throw new CompileError(
      path,
      `expected an object with one of the keys ${Object.keys(evaluators).join(', ')}, not ${keys.join(', ') || 'none'}`,
    );
  }
  const value = (node as unknown as Record<string, unknown>)[kind];
  const place = at(path, kind);
  const shape = statementShapes[kind];
  const short = (value === null && bare.has(kind)) || (references.has(kind) && isReference(value));
  if (shape !== undefined && !short) checkShape(value, shape, place);
  (evaluators[kind] as StatementEvaluator)(value as never, scope, place);
}

/** An instruction that was read but not understood goes back as it came. */
function evaluateOpaque(node: Opaque, scope: Scope, path: Path): void {
  if (typeof node?.name !== 'string' || !/^([0-9a-f]{2})*$/.test(node.data)) {
    throw new CompileError(path, 'expected the name of an instruction, and its bytes in hexadecimal');
  }
  const data = node.data === '' ? undefined : Uint8Array.from(Buffer.from(node.data, 'hex'));
  const opaque = { name: 'opaque', expression: node.name, data } as const;
  const instruction = node.set === undefined ? opaque : withOwnSet(opaque, node.set, scope, at(path, 'set'));
  scope.action((emitter) => emitter.push(instruction));
}

/** Has an instruction refer to a set of its own by its number: its name is another one each time. */
function withOwnSet(opaque: Instruction, node: OwnSet, scope: Scope, path: Path): Instruction {
  const instruction = understood(opaque);
  if (!('set' in instruction) || instruction.name === 'last')
    throw new CompileError(path, 'the instruction names no set');
  const { name: set, id: setId } = declareOwnSet(node, scope, path);
  return { ...instruction, set, setId } as Instruction;
}
