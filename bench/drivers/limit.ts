import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Connection } from '../../src/index.ts';
import type { SubmitResult } from '../../src/netlink/submit-result.ts';
import type { Driver, Session } from '../driver.ts';
import { compiler, kernel, nftjs, queries } from '../library.ts';
import { root } from '../root.ts';
import { TABLE, type Work } from '../work.ts';

const INET = 1;

/** Sends a batch again and again that it built once; see native/test/limit.cc. */
interface Limit {
  run(): void;
  start(): Promise<void>;
}

const ADDON = join(root, 'native/test/build/Release/limit.node');

/** The program for work, made beforehand: sets that are there already are declared and left out again. */
function compiled({ setup, commands, packed = commands }: Work): Uint8Array {
  const messages = compiler
    .compileTransaction([...setup, ...packed()], compiler.emptyView)
    .filter(({ operation }) => operation >= setup.length);
  return compiler.encodeMessages(messages, {}).bytes().slice();
}

/** Where the library is not a checkout, its own socket sends the program: the batch is built each time. */
function limitOf(program: Uint8Array, socket: Connection['socket']): Limit {
  if (existsSync(ADDON)) {
    const { Limit } = createRequire(import.meta.url)(ADDON) as { Limit: new (program: Uint8Array) => Limit };
    return new Limit(program);
  }
  return {
    run: () => mustCommit(socket.submitSync(program)),
    start: async () => mustCommit(await socket.submit(program)),
  };
}

function mustCommit({ status, errors }: SubmitResult): void {
  if (status !== 'committed') throw new Error(`${status}: ${errors[0]?.code}`);
}

const DUMPS = ['GETTABLE', 'GETSET', 'GETCHAIN', 'GETRULE', 'GETOBJ'] as const;

/** Receives the elements of the bench's set, and throws them away. */
async function discardElements(socket: Connection['socket']): Promise<void> {
  const { MESSAGE, elementList } = kernel;
  const question = queries.query(MESSAGE.GETSETELEM, INET, elementList, { table: TABLE.table, set: 's' });
  for await (const _ of socket.stream(question));
}

/** The kernel's own time: the same messages, made beforehand and only sent; answers received and thrown away. */
function limit(sync: boolean): Driver {
  return {
    missing: () => undefined,
    open(): Session {
      const nft = nftjs.connect();
      const { socket } = nft;
      return {
        prepare(work) {
          const limit = limitOf(compiled(work), socket);
          return sync ? () => limit.run() : () => limit.start();
        },
        async list() {
          const { MESSAGE } = kernel;
          for (const type of DUMPS) {
            const { messages } = await socket.dump({ type: MESSAGE[type], family: 0 });
            if (type === 'GETSET' && messages.length > 0) await discardElements(socket);
          }
        },
        columns: () => discardElements(socket),
        close: () => nft.close(),
      };
    },
  };
}

export const asynchronous = limit(false);
export const synchronous = limit(true);
