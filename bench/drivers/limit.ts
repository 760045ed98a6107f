import type { Connection } from '../../src/index.ts';
import type { SubmitResult } from '../../src/netlink/socket.ts';
import type { Driver, Session } from '../driver.ts';
import { compiler, kernel, nftjs, queries } from '../library.ts';
import { TABLE, type Work } from '../work.ts';

const INET = 1;

/** The program for work, made beforehand: sets that are there already are declared and left out again. */
function compiled({ setup, commands }: Work): Uint8Array {
  const messages = compiler
    .compileTransaction([...setup, ...commands()], compiler.emptyView)
    .filter(({ operation }) => operation >= setup.length);
  return compiler.encodeMessages(messages, {}).bytes().slice();
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
          const program = compiled(work);
          if (sync) return () => mustCommit(socket.submitSync(program));
          return async () => mustCommit(await socket.submit(program));
        },
        async list() {
          const { MESSAGE } = kernel;
          for (const type of DUMPS) {
            const { messages } = await socket.dump({ type: MESSAGE[type], family: 0 });
            if (type === 'GETSET' && messages.length > 0) await discardElements(socket);
          }
        },
        close: () => nft.close(),
      };
    },
  };
}

export const asynchronous = limit(false);
export const synchronous = limit(true);
