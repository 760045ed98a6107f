export { type Data, data, dataText, type VerdictCode, type VerdictData, words } from './data.ts';
export { essence, type IsNamed } from './essence.ts';
export {
  expression,
  expressions,
  type Instruction,
  type InstructionNamed,
  instructionData,
  instructions,
  instructionText,
  readInstruction,
  understood,
  writeInstruction,
} from './instruction.ts';
export { CT_KEYS, EXTHDR_OPS, FIB_FLAGS, META_KEYS, RT_KEYS } from './load.ts';
export type { Opaque } from './opaque.ts';
export { type Register, registerAt, SLOTS, slotOf, slotsFor, VERDICT } from './register.ts';
export {
  ELEMENT_FLAGS,
  elementsOf,
  joinedBits,
  type KernelElement,
  type KnownSet,
  type MapData,
  OBJECT_TYPES,
  type ObjectType,
  PackedElements,
  type PackedShape,
  packedOffsets,
  SET_FLAGS,
  type SetDeclaration,
  type SetElement,
  type Typed,
  unpackElements,
} from './set.ts';
export { readTypeof, type Typeof, type TypeofKind, writeTypeof } from './typeof-userdata.ts';
export {
  type ElementUserdata,
  readComment,
  readElementUserdata,
  readUserdata,
  readUserdataNumber,
  readUserdataText,
  type UserdataRow,
  userdataNumber,
  userdataText,
  writeComment,
  writeElementUserdata,
  writeUserdata,
} from './userdata.ts';
