import { joinedBits, type MapData, type Typed } from '../bytecode/index.ts';
import { datatype } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import { at, CompileError, type Path } from './error.ts';
import { type Expr, type MapLookup, unbounded } from './expr.ts';
import { evaluateLoadable } from './loadable.ts';
import type { Scope } from './scope.ts';
import { checkKey, evaluateAnonymousSet, type Lookup, lookupKey, partsOf } from './set.ts';

/** `{ key, data }` of a map expression, a verdict map or a map of objects: the set, and the key as it looks it up. */
export function evaluateMapLookup(
  node: { readonly key: Expression; readonly data: Expression },
  wanted: MapData,
  scope: Scope,
  path: Path,
): Lookup {
  const key = unbounded(evaluateLoadable(node.key, scope, at(path, 'key')));
  return mapOf(node.data, key, wanted, scope, path);
}

function mapOf(data: Expression, key: Expr, wanted: MapData, scope: Scope, parent: Path): Lookup {
  const path = at(parent, 'data');
  if (typeof data === 'string' && data.startsWith('@')) {
    const set = scope.namedSet(data, path);
    if (set.data?.kind !== wanted.kind) {
      throw new CompileError(
        path,
        `${data} is ${set.data ? `a map of ${set.data.kind}s` : 'a set'}: a map of ${wanted.kind}s belongs here`,
      );
    }
    checkKey(key, set, at(parent, 'key'));
    return { key: lookupKey(key, set), set };
  }
  if (typeof data !== 'object' || data === null || !('set' in data)) {
    throw new CompileError(path, 'expected { set: [[key, value], …] } or the name of a map, "@name"');
  }
  return evaluateAnonymousSet(data.set, key, wanted, scope, at(path, 'set'));
}

/** `{ map: { key, data } }`: a value of the type that is wanted. */
export function evaluateMap(
  node: { readonly key: Expression; readonly data: Expression },
  scope: Scope,
  path: Path | undefined,
  want: Typed | undefined,
): MapLookup {
  const place = at(path, 'map');
  const wanted: MapData = { kind: 'value', parts: want === undefined ? [] : partsOf(want) };
  if (want === undefined && !(typeof node.data === 'string')) {
    throw new CompileError(place, 'the type of the values is not known here: use a named map');
  }
  const { key, set } = evaluateMapLookup(node, wanted, scope, place);
  const parts = set.data?.kind === 'value' ? set.data.parts : [];
  const first = parts[0] as Typed;
  return { kind: 'map', type: first.type, bits: joinedBits(parts), byteorder: first.byteorder, key, set };
}

/** `{ vmap: { key, data } }` */
export function evaluateVmap(
  node: { readonly key: Expression; readonly data: Expression },
  scope: Scope,
  path: Path,
): MapLookup {
  const { key, set } = evaluateMapLookup(node, { kind: 'verdict' }, scope, path);
  return { kind: 'map', type: datatype('verdict'), bits: 128, byteorder: 'host', key, set };
}
