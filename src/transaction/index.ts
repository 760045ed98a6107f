export { compileCommands } from './bytecode-text.ts';
export {
  type Commands,
  commandList,
  inDependencyOrder,
  type ParsedCommand,
  parseCommands,
} from './command.ts';
export { compileCommand, compileParsed, compileTransaction, needsOf } from './compile.ts';
export { TransactionContext } from './context.ts';
export { encodeInPieces, encodeMessages, type ProgramPieces, UnpackableError } from './encode.ts';
export { emptyView, type KernelView, type Needs } from './kernel-view.ts';
export type { ElementsMessage, OutgoingMessage, SchemaMessage } from './message.ts';
export { elementKey } from './set.ts';
export { Transaction, transaction } from './transaction.ts';
