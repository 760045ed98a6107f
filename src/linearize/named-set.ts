import {
  joinedBits,
  type MapData,
  OBJECT_TYPES,
  type ObjectType,
  SET_FLAGS,
  type SetDeclaration,
  type Typed,
  type Typeof,
} from '../bytecode/index.ts';
import { DatatypeError, datatype, quoted } from '../datatype/index.ts';
import type { Expression, NamedMap, NamedSet } from '../model/index.ts';
import { literalBits } from './constant.ts';
import { at, CompileError, type Path } from './error.ts';
import type { Expr } from './expr.ts';
import type { Scope } from './scope.ts';
import { partsOf } from './set.ts';
import { EMPTY_CONCAT, typeofDeclared, VERDICTS } from './typeof.ts';
import { MAX_32, whole } from './whole.ts';

const FLAGS = { constant: 'constant', interval: 'interval', timeout: 'timeout', dynamic: 'eval' } as const;

/** What a named set or map holds, from its declaration in the model. */
export function declareNamedSet(
  node: NamedSet | NamedMap,
  scope: Scope,
  path: Path | undefined,
): SetDeclaration {
  if (node.type === undefined) throw new CompileError(path, 'a set needs the type of its keys');
  const key = typesOf(node.type, scope, at(path, 'type'));
  const data =
    'map' in node && node.map !== undefined ? dataOf(node.map, node.elem, scope, at(path, 'map')) : undefined;
  let flags = data === undefined ? 0 : data.kind === 'object' ? SET_FLAGS.object : SET_FLAGS.map;
  for (const flag of node.flags === undefined ? [] : Array.isArray(node.flags) ? node.flags : [node.flags]) {
    if (typeof flag !== 'string' || !Object.hasOwn(FLAGS, flag))
      throw new CompileError(
        at(path, 'flags'),
        `${quoted(flag)}: expected some of ${Object.keys(FLAGS).join(', ')}`,
      );
    flags |= SET_FLAGS[FLAGS[flag as keyof typeof FLAGS]];
  }
  if (node.timeout !== undefined || node['gc-interval'] !== undefined) flags |= SET_FLAGS.timeout;
  if (node['auto-merge'] && !(flags & SET_FLAGS.interval)) {
    throw new CompileError(at(path, 'auto-merge'), 'only sets with the flag interval can merge');
  }
  if (flags & SET_FLAGS.interval && key.length > 1) flags |= SET_FLAGS.concat;
  if (node.stmt !== undefined) flags |= SET_FLAGS.expr;
  return {
    name: node.name,
    id: scope.names.nextSetId(),
    key: flags & SET_FLAGS.interval ? key.map(ordered) : key,
    ...(data === undefined ? {} : { data }),
    flags,
    ...(node.size === undefined ? {} : { size: whole(node.size, MAX_32, at(path, 'size')) }),
    ...(node['auto-merge'] ? { autoMerge: true } : {}),
    ...typeofs(node, scope, path),
  };
}

/** Intervals are ordered as numbers, so their keys are in network order. */
function ordered(typed: Typed): Typed {
  return typed.type.base === 'string' ? typed : { ...typed, byteorder: 'network' };
}

/** The parts of a type: `"ipv4_addr"`, `["ipv4_addr", "inet_service"]`, or `{ typeof: expression }`. */
export function typesOf(node: unknown, scope: Scope, path: Path | undefined): readonly Typed[] {
  if (typeof node === 'string') return node.split('.').map((name) => typeNamed(name.trim(), path));
  if (Array.isArray(node)) {
    if (node.length === 0) throw new CompileError(path, 'a key has at least one part');
    return Array.from(node, (name, i) => typeNamed(name, at(path, i)));
  }
  if (isTypeof(node)) {
    return partsOf(declaredBy(node.typeof, scope, at(path, 'typeof'))).map((part) => ({
      type: part.type,
      bits: literalBits(part),
      byteorder: part.byteorder,
    }));
  }
  throw new CompileError(path, 'expected the name of a type, several names, or { typeof: expression }');
}

/** The expression of a `typeof`; it is of no packet, so that its parts may contradict each other. */
function declaredBy(node: unknown, scope: Scope, path: Path): Expr {
  const alone = (part: Expression, place: Path) => scope.apart().evaluate(part, place);
  if (typeof node !== 'object' || node === null || !('concat' in node) || !Array.isArray(node.concat)) {
    return alone(node as Expression, path);
  }
  const parts = Array.from(node.concat, (part, i) => alone(part, at(at(path, 'concat'), i)));
  const [first] = parts;
  if (first === undefined) throw new CompileError(path, 'a key has at least one part');
  return { kind: 'concat', type: first.type, bits: joinedBits(parts), byteorder: first.byteorder, parts };
}

/** For nft to know where the types came from. */
function typeofs(node: NamedSet | NamedMap, scope: Scope, path: Path | undefined) {
  const keyTypeof = typeofOf(node.type, scope, at(path, 'type'));
  const map = 'map' in node ? node.map : undefined;
  const dataTypeof =
    map !== 'verdict' ? typeofOf(map, scope, at(path, 'map')) : isTypeof(node.type) ? VERDICTS : undefined;
  return { keyTypeof, dataTypeof };
}

function typeofOf(node: unknown, scope: Scope, path: Path): Typeof | undefined {
  if (isTypeof(node)) return typeofDeclared(declaredBy(node.typeof, scope, at(path, 'typeof')));
  return Array.isArray(node) && node.length > 1 ? EMPTY_CONCAT : undefined;
}

function isTypeof(node: unknown): node is { readonly typeof: unknown } {
  return typeof node === 'object' && node !== null && 'typeof' in node;
}

function typeNamed(name: unknown, path: Path | undefined): Typed {
  if (typeof name !== 'string') throw new CompileError(path, 'expected the name of a type');
  try {
    const type = datatype(name);
    if (type.bits === 0) {
      throw new CompileError(
        path,
        `${type.name} has no width of its own: use typeof with an expression of that type`,
      );
    }
    return { type, bits: type.bits, byteorder: type.byteorder };
  } catch (error) {
    if (error instanceof DatatypeError) throw new CompileError(path, error.message, { cause: error });
    throw error;
  }
}

function dataOf(node: unknown, elements: unknown, scope: Scope, path: Path): MapData {
  if (node === 'verdict') return { kind: 'verdict' };
  if (typeof node === 'string' && Object.hasOwn(OBJECT_TYPES, node))
    return { kind: 'object', object: node as ObjectType };
  const parts = typesOf(node, scope, path);
  return { kind: 'value', parts, ...(holdsRanges(elements) ? { interval: true } : {}) };
}

/** The model has no words for a map of ranges: its first elements tell. */
function holdsRanges(elements: unknown): boolean {
  const isRange = (node: unknown): boolean =>
    typeof node === 'object' &&
    node !== null &&
    ('range' in node ||
      'prefix' in node ||
      ('concat' in node && Array.isArray(node.concat) && node.concat.some(isRange)));
  return Array.isArray(elements) && elements.some((pair) => Array.isArray(pair) && isRange(pair[1]));
}
