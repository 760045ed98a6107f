export { type Data, data, dataText, type VerdictCode, type VerdictData, words } from './data.ts';
export {
  expression,
  expressions,
  type Instruction,
  type InstructionNamed,
  instructions,
  instructionText,
  readInstruction,
  writeInstruction,
} from './instruction.ts';
export { CT_KEYS, FIB_FLAGS, META_KEYS, RT_KEYS } from './load.ts';
export type { Opaque } from './opaque.ts';
export { type Register, registerAt, SLOTS, slotOf, slotsFor, VERDICT } from './register.ts';
