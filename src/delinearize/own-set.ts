import { type Instruction, type KnownSet, SET_FLAGS } from '../bytecode/index.ts';
import type { NamedMap, NamedSet, OwnSet, Statement } from '../model/index.ts';
import { delinearizeElements } from './elements.ts';
import { opaqueStatement } from './opaque.ts';

/** A set as the kernel tells it; an anonymous one with its declaration. */
export interface ToldSet extends KnownSet {
  readonly declared?: NamedSet | NamedMap | undefined;
}

/** An instruction as its name and bytes, with the anonymous set that it names. */
export function opaqueWithSet(
  instruction: Instruction,
  set: (name: string) => ToldSet | undefined,
): Statement {
  const statement = opaqueStatement(instruction) as Extract<Statement, { opaque: unknown }>;
  const name = 'set' in instruction ? instruction.set : undefined;
  const own = typeof name === 'string' ? set(name) : undefined;
  if (own?.declared === undefined || !(own.flags & SET_FLAGS.anonymous)) return statement;
  return { opaque: { ...statement.opaque, set: definition(own, own.declared as NamedMap) } };
}

function definition(set: KnownSet, { type, map, flags, size }: NamedMap): OwnSet {
  const elem = delinearizeElements(set.elements ?? [], set);
  return {
    type,
    ...(map === undefined ? {} : { map }),
    ...(flags === undefined ? {} : { flags }),
    ...(size === undefined ? {} : { size }),
    ...(elem.length === 0 ? {} : { elem }),
  } as OwnSet;
}
