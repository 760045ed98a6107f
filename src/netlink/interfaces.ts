import { hostIsLittleEndian } from '../datatype/index.ts';
import { readAttributes, readString } from '../wire/attribute-reader.ts';

/** A network interface of the connection's namespace. */
export interface NetworkInterface {
  readonly name: string;
  readonly index: number;
  /** The index of the bridge, bond or VRF that it belongs to. */
  readonly master?: number;
  /** The link-layer address, where it is one of six bytes. */
  readonly mac?: string;
}

const NLMSG_HEADER = 16;
/** struct ifinfomsg of linux/rtnetlink.h. */
const IFINFOMSG = 16;
const IFI_INDEX = 4;
/** IFLA_* of linux/if_link.h. */
const IFLA = { address: 1, ifname: 3, master: 10 } as const;

/** Reads the RTM_NEWLINK messages of a dump. */
export function readInterfaces(messages: Uint8Array): NetworkInterface[] {
  const view = new DataView(messages.buffer, messages.byteOffset, messages.byteLength);
  const interfaces: NetworkInterface[] = [];
  for (let at = 0; at + NLMSG_HEADER + IFINFOMSG <= messages.length; ) {
    const length = view.getUint32(at, hostIsLittleEndian);
    const index = view.getInt32(at + NLMSG_HEADER + IFI_INDEX, hostIsLittleEndian);
    interfaces.push({ index, ...describe(messages.subarray(at + NLMSG_HEADER + IFINFOMSG, at + length)) });
    at += (length + 3) & ~3;
  }
  return interfaces;
}

function describe(attributes: Uint8Array): Omit<NetworkInterface, 'index'> {
  const described: { name: string; master?: number; mac?: string } = { name: '' };
  for (const { id, payload } of readAttributes(attributes)) {
    if (id === IFLA.ifname) described.name = readString(payload);
    if (id === IFLA.master) {
      described.master = new DataView(payload.buffer, payload.byteOffset).getUint32(0, hostIsLittleEndian);
    }
    if (id === IFLA.address && payload.length === 6) {
      described.mac = [...payload].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
    }
  }
  return described;
}
