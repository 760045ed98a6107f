import { hostIsLittleEndian, toBytes } from '../datatype/byteorder.ts';
import type { NetworkInterface } from '../netlink/index.ts';
import { MessageWriter } from './netlink-message.ts';

const RTM_NEWLINK = 16;
/** struct ifinfomsg of linux/rtnetlink.h. */
const IFINFOMSG = 16;
const [IFI_INDEX, IFI_FLAGS] = [4, 8];
const IFF_UP = 1;
/** IFLA_* of linux/if_link.h. */
const IFLA = { address: 1, ifname: 3, master: 10 } as const;

/** The answer to the question for all interfaces. */
export function linkMessages(interfaces: readonly NetworkInterface[]): Uint8Array {
  const messages = new MessageWriter();
  for (const { name, index, master, mac, up } of interfaces) {
    const head = new Uint8Array(IFINFOMSG);
    const view = new DataView(head.buffer);
    view.setInt32(IFI_INDEX, index, hostIsLittleEndian);
    if (up) view.setUint32(IFI_FLAGS, IFF_UP, hostIsLittleEndian);
    messages.link(RTM_NEWLINK, head, (attributes) => {
      attributes.string(IFLA.ifname, name);
      if (master !== undefined) attributes.raw(IFLA.master, toBytes(BigInt(master), 4, 'host'));
      if (mac !== undefined) attributes.raw(IFLA.address, Buffer.from(mac.replaceAll(':', ''), 'hex'));
    });
  }
  return messages.bytes();
}
