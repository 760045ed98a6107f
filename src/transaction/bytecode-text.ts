import { elementsOf, type Instruction, instructionText } from '../bytecode/index.ts';
import { elementText } from '../format/bytecode.ts';
import { MESSAGE } from '../message/index.ts';
import { familyByNumber } from '../protocol/index.ts';
import type { Commands } from './command.ts';
import { compileTransaction } from './compile.ts';
import { emptyView } from './kernel-view.ts';
import type { OutgoingMessage } from './message.ts';

/**
 * The sets, elements and rules that commands become, as `nft --debug=netlink` prints them, without a kernel:
 * sets that rules name must be declared among the commands.
 *
 * @returns lines for each set, list of elements and rule
 * @throws CompileError at the place that cannot be meant
 */
export function compileCommands(commands: Commands): string[][] {
  return compileTransaction(commands, emptyView)
    .map(text)
    .filter((lines) => lines.length > 0);
}

function text(message: OutgoingMessage): string[] {
  if (message.kind === 'elements') {
    return [`${message.set} ${message.table} 0`, elementsOf(message.elements).map(elementText).join('\t')];
  }
  const value = message.value as Readonly<Record<string, unknown>>;
  if (message.type === MESSAGE.NEWSET) {
    const { size } = (value.description ?? {}) as { size?: number };
    return [
      `${value.name} ${value.table} ${(value.flags as number).toString(16)}${size === undefined ? '' : ` size ${size}`}`,
    ];
  }
  if (message.type !== MESSAGE.NEWRULE) return [];
  const instructions = value.expressions as readonly Instruction[];
  const family = familyByNumber(message.family)?.name;
  return [
    `${family} ${value.table} ${value.chain}`,
    ...instructions.map((instruction) => `  ${instructionText(instruction)}`),
  ];
}
