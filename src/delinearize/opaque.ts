import { type Instruction, instructionData } from '../bytecode/index.ts';
import type { Statement } from '../model/index.ts';

/** An instruction as its name and bytes, so that it goes back as it came. */
export function opaqueStatement(instruction: Instruction): Statement {
  const name = instruction.name === 'opaque' ? instruction.expression : instruction.name;
  const data = instructionData(instruction);
  return { opaque: { name, data: data === undefined ? '' : Buffer.from(data).toString('hex') } };
}
