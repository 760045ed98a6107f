import { hostIsLittleEndian } from '../datatype/byteorder.ts';
import { readAttributes, readString } from '../wire/attribute-reader.ts';
import { NETLINK_HEADER, type NetlinkFrame } from '../wire/netlink.ts';

/** RTM_* of linux/rtnetlink.h. */
export const RTM = {
  newLink: 16,
  delLink: 17,
  getLink: 18,
  newRoute: 24,
  delRoute: 25,
  getRoute: 26,
} as const;

/** NLMSG_ERROR and NLMSG_DONE of linux/netlink.h. */
const REPORTS = { error: 2, done: 3 } as const;
/** In a report: the request is left out of it, and attributes follow. */
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

/** What the kernel says of a request. */
export interface Report {
  readonly sequence: number;
  /** The errno, positive; 0 acknowledges. */
  readonly errno: number;
  /** The kernel's own words, often empty. */
  readonly text: string;
}

/** Reads a message that ends an answer; nothing where it is another one. */
export function reportIn({ type, flags, sequence, body }: NetlinkFrame): Report | undefined {
  if (type !== REPORTS.error && type !== REPORTS.done) return undefined;
  if (body.length < 4) return { sequence, errno: 0, text: '' };
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const errno = Math.abs(view.getInt32(0, hostIsLittleEndian));
  if ((flags & NLM_F_ACK_TLVS) === 0) return { sequence, errno, text: '' };
  let start = 4;
  if (type === REPORTS.error)
    start += (flags & NLM_F_CAPPED) === 0 ? (view.getUint32(4, hostIsLittleEndian) + 3) & ~3 : NETLINK_HEADER;
  const said = readAttributes(body.subarray(start)).find(({ id }) => id === NLMSGERR_ATTR_MSG);
  return { sequence, errno, text: said === undefined ? '' : readString(said.payload) };
}
