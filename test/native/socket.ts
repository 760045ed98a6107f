import { readMessages } from '../../src/netlink/message.ts';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { readAttributes } from '../../src/wire/attribute-reader.ts';
import { withNetns } from '../support/netns.ts';
import { elementsOf, GETSETELEM, GETTABLE, INET } from './messages.ts';

/** Runs `work` with a socket in a fresh namespace. */
export function withSocket(
  work: (socket: NetlinkSocket, netns: string) => void | Promise<void>,
): Promise<void> {
  return withNetns(async (netns) => {
    await using socket = NetlinkSocket.open({ netns });
    await work(socket, netns);
  });
}

/** How many tables the kernel has in the socket's namespace. */
export function tableCount(socket: NetlinkSocket): number {
  return [...readMessages(socket.dumpSync({ type: GETTABLE, family: 0 }).messages)].length;
}

/** The payloads of `NFTA_LIST_ELEM`, in the kernel's order. */
export function elements(socket: NetlinkSocket, table = 't', set = 's'): Uint8Array[] {
  const { messages } = socket.dumpSync({
    type: GETSETELEM,
    family: INET,
    attributes: elementsOf(table, set),
  });
  return [...readMessages(messages)].flatMap((message) => {
    const list = readAttributes(message.attributes).find(({ id }) => id === 3);
    return readAttributes(list?.payload ?? new Uint8Array()).map(({ payload }) => payload);
  });
}
