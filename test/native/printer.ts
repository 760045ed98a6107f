import { createRequire } from 'node:module';
import { hostIsLittleEndian } from '../../src/datatype/byteorder.ts';

interface Printer {
  print(message: Uint8Array): string;
}

const path = '../../native/test/build/Release/nftnl_printer.node';
let printer: Printer | undefined;

const NFNL_SUBSYS_NFTABLES = 10;

/**
 * libnftnl's own text of a whole netlink message: a table, chain, rule, set, list of elements, object or flowtable.
 *
 * Where libnftnl finds an attribute of an impossible length, it takes the kernel for broken and ends the process.
 *
 * @throws Error when libnftnl cannot parse it
 */
export function printMessage(message: Uint8Array): string {
  printer ??= createRequire(import.meta.url)(path) as Printer;
  return printer.print(message);
}

/**
 * libnftnl's own text of encoded attributes.
 *
 * @param type - `NFT_MSG_NEW*`, which says what the attributes describe
 * @param family - `NFPROTO_*`
 */
export function printAttributes(type: number, family: number, attributes: Uint8Array): string {
  const message = new Uint8Array(20 + attributes.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, hostIsLittleEndian);
  view.setUint16(4, (NFNL_SUBSYS_NFTABLES << 8) | type, hostIsLittleEndian);
  view.setUint8(16, family);
  message.set(attributes, 20);
  return printMessage(message);
}
