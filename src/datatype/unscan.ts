/** Writers of text from bytes, for large sets: the inverse of scan.ts. */

const hex = (byte: number) => byte.toString(16);
const BYTES = Array.from({ length: 256 }, (_, byte) => byte);
/** Each byte in decimal, with a dot behind it, and in hexadecimal, without and with a zero in front. */
const DECIMAL = BYTES.map(String);
const DOTTED = BYTES.map((byte) => `${byte}.`);
const SHORT = BYTES.map(hex);
const LONG = BYTES.map((byte) => hex(byte).padStart(2, '0'));
const COLONED = LONG.map((byte) => `${byte}:`);

/** 4 bytes as four decimal parts. */
export function unscanIpv4(bytes: Uint8Array, at: number): string {
  return ((DOTTED[bytes[at] as number] as string) +
    DOTTED[bytes[at + 1] as number] +
    DOTTED[bytes[at + 2] as number] +
    DECIMAL[bytes[at + 3] as number]) as string;
}

const GROUPS = 8;

function group(bytes: Uint8Array, at: number): string {
  const [high, low] = [bytes[at] as number, bytes[at + 1] as number];
  return (high === 0 ? SHORT[low] : (SHORT[high] as string) + LONG[low]) as string;
}

/** 16 bytes as RFC 5952 has them; the mapped and the compatible IPv4 addresses have their last part dotted, as inet_ntop(3). */
export function unscanIpv6(bytes: Uint8Array, at: number): string {
  let first = GROUPS;
  let longest = 0;
  for (let i = 0, run = 0; i < GROUPS; i++) {
    run = bytes[at + i * 2] === 0 && bytes[at + i * 2 + 1] === 0 ? run + 1 : 0;
    if (run > longest) {
      longest = run;
      first = i + 1 - run;
    }
  }
  if (first === 0) {
    if (longest === 6) return `::${unscanIpv4(bytes, at + 12)}`;
    if (longest === 5 && bytes[at + 10] === 0xff && bytes[at + 11] === 0xff)
      return `::ffff:${unscanIpv4(bytes, at + 12)}`;
  }
  if (longest < 2) first = GROUPS;
  let text = first === 0 ? ':' : '';
  for (let i = 0; i < GROUPS; i++) {
    if (i === first) {
      text += ':';
      i += longest - 1;
    } else {
      text += group(bytes, at + i * 2);
      if (i < GROUPS - 1) text += ':';
    }
  }
  return text;
}

/** Bytes in hexadecimal with colons between them. */
export function unscanLinkLayer(bytes: Uint8Array, at: number, length: number): string {
  let text = '';
  const last = at + length - 1;
  for (let i = at; i < last; i++) text += COLONED[bytes[i] as number];
  return text + LONG[bytes[last] as number];
}
