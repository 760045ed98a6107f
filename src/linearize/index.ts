export {
  ELEMENT_FLAGS,
  elementsOf,
  joinedBits,
  type MapData,
  OBJECT_TYPES,
  type ObjectType,
  PackedElements,
  SET_FLAGS,
  type SetDeclaration,
  type SetElement,
} from '../bytecode/index.ts';
export { checkComment } from './comment.ts';
export { evaluateElements, milliseconds } from './elements.ts';
export { at, CompileError, type Path, pathText } from './error.ts';
export { evaluate } from './evaluate.ts';
export { encodeElements } from './intervals.ts';
export { checkName } from './name.ts';
export { declareNamedSet } from './named-set.ts';
export { packElements } from './pack.ts';
export { type PartPacker, partPackerOf } from './pack-part.ts';
export { found } from './payload.ts';
export type { LiteralPlace } from './place.ts';
export { type CompiledRule, compileRule, type PlacedRule } from './rule.ts';
export { type Names, Scope } from './scope.ts';
export { checkKinds, type Shape } from './shape.ts';
export { evaluateStateful } from './stateful.ts';
export { MAX_8, MAX_16, MAX_32, whole } from './whole.ts';
