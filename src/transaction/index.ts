export { compileCommands } from './bytecode-text.ts';
export { type Commands, commandList, type ParsedCommand, parseCommands } from './command.ts';
export { compileTransaction, needsOf } from './compile.ts';
export { encodeMessages } from './encode.ts';
export { emptyView, type KernelView, type Needs } from './kernel-view.ts';
export type { OutgoingMessage } from './message.ts';
export { elementKey } from './set.ts';
export { Transaction, transaction } from './transaction.ts';
