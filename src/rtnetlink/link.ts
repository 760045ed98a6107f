import { hostIsLittleEndian } from '../datatype/byteorder.ts';
import { readAttributes, readString } from '../wire/attribute-reader.ts';
import { type NetlinkFrame, NLM, netlinkFrames, netlinkRequest } from '../wire/netlink.ts';
import { RTM } from './message.ts';

/** A network interface of the connection's namespace. */
export interface NetworkInterface {
  readonly name: string;
  readonly index: number;
  /** The index of the bridge, bond or VRF that it belongs to. */
  readonly master?: number;
  /** The link-layer address, where it is one of six bytes. */
  readonly mac?: string;
  /** Whether it is switched on (IFF_UP); left out where not. */
  readonly up?: true;
}

/** RTNLGRP_LINK of linux/rtnetlink.h. */
export const LINK_GROUPS = [1];
/** Bytes of struct ifinfomsg of linux/rtnetlink.h, and where in it is what. */
const IFINFOMSG = 16;
const [IFI_FAMILY, IFI_INDEX, IFI_FLAGS] = [0, 4, 8];
const IFF_UP = 1;
/** What AF_BRIDGE says of a port is said of the interface as well. */
const AF_UNSPEC = 0;
/** IFLA_* of linux/if_link.h. */
const IFLA = { address: 1, ifname: 3, master: 10 } as const;

/** Asks for all interfaces. */
export function linksRequest(): Uint8Array {
  return netlinkRequest(RTM.getLink, NLM.DUMP, 1, new Uint8Array(IFINFOMSG));
}

/** The interfaces in the answer to {@link linksRequest}. */
export function readInterfaces(messages: Uint8Array): NetworkInterface[] {
  return [...netlinkFrames(messages)].flatMap((message) => {
    const told = linkIn(message);
    return told === undefined || told.gone ? [] : [told.link];
  });
}

/** An interface that is new or not as it was, or that is gone. */
export interface LinkNews {
  readonly gone: boolean;
  readonly link: NetworkInterface;
}

/** What a message says of an interface; nothing where it speaks of something else. */
export function linkIn({ type, body }: NetlinkFrame): LinkNews | undefined {
  if ((type !== RTM.newLink && type !== RTM.delLink) || body[IFI_FAMILY] !== AF_UNSPEC) return undefined;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const index = view.getInt32(IFI_INDEX, hostIsLittleEndian);
  const isUp = (view.getUint32(IFI_FLAGS, hostIsLittleEndian) & IFF_UP) !== 0;
  const link = { index, ...describe(body.subarray(IFINFOMSG)), ...(isUp && { up: true as const }) };
  return { gone: type === RTM.delLink, link };
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
