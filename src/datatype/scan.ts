/**
 * Readers of text as it usually stands in large sets, straight from bytes into bytes. Something follows each text that
 * is no part of it, so that no reader has to ask where the bytes end.
 */

/**
 * Reads the text that starts at `from`.
 *
 * @returns where the text ends; a negative number where it is no such text, and then the bytes that are left mean nothing
 */
export type Scan = (text: Uint8Array, from: number, into: Uint8Array, at: number) => number;

/** Ends each text. */
const END = 0x0a;

const NO = -1;
const COLON = 0x3a;
const DOT = 0x2e;
const ZERO = 0x30;

/** What each byte counts as a hexadecimal digit; -1 of what is none. */
const HEX = new Int8Array(256).fill(-1);
for (const digit of '0123456789abcdefABCDEF') HEX[digit.charCodeAt(0)] = Number.parseInt(digit, 16);

/** Four decimal parts, no short or octal forms: 4 bytes. */
export function scanIpv4(text: Uint8Array, from: number, into: Uint8Array, at: number): number {
  let i = from;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && text[i++] !== DOT) return NO;
    const first = (text[i++] as number) - ZERO;
    if (first < 0 || first > 9) return NO;
    let value = first;
    for (;;) {
      const digit = (text[i] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      if (first === 0 || value > 255) return NO;
      i++;
    }
    into[at + part] = value;
  }
  return i;
}

/** Eight groups, one run of zeros as `::`, the last two in IPv4's form where they are (RFC 4291): 16 bytes. */
export function scanIpv6(text: Uint8Array, from: number, into: Uint8Array, at: number): number {
  let i = from;
  let groups = 0;
  let gap = -1;
  if (text[i] === COLON) {
    if (text[i + 1] !== COLON) return NO;
    gap = 0;
    i += 2;
  }
  for (;;) {
    const first = i;
    let value = 0;
    for (; ; i++) {
      const digit = HEX[text[i] as number] as number;
      if (digit < 0) break;
      value = (value << 4) | digit;
    }
    if (i === first) {
      // Behind `::` there may be nothing more.
      if (gap === groups) break;
      return NO;
    }
    if (groups === 8) return NO;
    if (text[i] === DOT) {
      if (groups > 6) return NO;
      i = scanIpv4(text, first, into, at + groups * 2);
      if (i < 0) return NO;
      groups += 2;
      break;
    }
    if (i - first > 4) return NO;
    into[at + groups * 2] = value >> 8;
    into[at + groups * 2 + 1] = value;
    groups++;
    if (text[i] !== COLON) break;
    i++;
    if (text[i] === COLON) {
      if (gap >= 0) return NO;
      gap = groups;
      i++;
    }
  }
  if (gap < 0) return groups === 8 ? i : NO;
  if (groups === 8) return NO;
  const zeros = 16 - groups * 2;
  for (let byte = 15; byte >= gap * 2 + zeros; byte--) into[at + byte] = into[at + byte - zeros] as number;
  for (let byte = gap * 2; byte < gap * 2 + zeros; byte++) into[at + byte] = 0;
  return i;
}

/** Six bytes of one or two hexadecimal digits, with colons between them. */
export function scanEther(text: Uint8Array, from: number, into: Uint8Array, at: number): number {
  let i = from;
  for (let byte = 0; byte < 6; byte++) {
    if (byte > 0 && text[i++] !== COLON) return NO;
    let value = HEX[text[i++] as number] as number;
    if (value < 0) return NO;
    const second = HEX[text[i] as number] as number;
    if (second >= 0) {
      value = (value << 4) | second;
      i++;
    }
    into[at + byte] = value;
  }
  return i;
}

const AT = 0x40;
const SLASH = 0x2f;
const STAR = 0x2a;
const NAME = 15;

/**
 * An interface's name of visible ASCII characters: up to 15 bytes. One that starts with an at sign names a set, one with
 * a star leaves its end open: they are for others to read.
 */
export function scanIfname(text: Uint8Array, from: number, into: Uint8Array, at: number): number {
  if (text[from] === AT) return NO;
  let i = from;
  let dots = true;
  for (;;) {
    const code = text[i] as number;
    if (code <= 0x20 || code >= 0x7f) break;
    if (code === STAR || code === SLASH || i - from === NAME) return NO;
    dots &&= code === DOT;
    into[at + i - from] = code;
    i++;
  }
  return i === from || (dots && i - from <= 2) ? NO : i;
}

const LONGEST = 63;
const alone: Uint8Array = Buffer.alloc(LONGEST + 1);

/** Reads one text into bytes; false where it is anything but what `scan` reads. */
export function scanned(scan: Scan, text: string, into: Uint8Array, at: number): boolean {
  const { length } = text;
  if (length > LONGEST) return false;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f) return false;
    alone[i] = code;
  }
  alone[length] = END;
  return scan(alone, 0, into, at) === length;
}

let all: Uint8Array = Buffer.alloc(1 << 16);

/**
 * Reads many texts, the first into bytes at `at`, each next one `stride` bytes behind the last; false where one of them
 * is anything but what `scan` reads. To ask a string for its characters takes longer than to make bytes of all at once.
 */
export function scannedAll(
  scan: Scan,
  texts: readonly string[],
  into: Uint8Array,
  at: number,
  stride: number,
): boolean {
  const joined = texts.join('\n');
  if (joined.length > texts.length * (LONGEST + 1)) return false;
  if (all.length <= joined.length) all = Buffer.alloc(2 * joined.length);
  // Characters beyond ASCII take several bytes, none of which any text has.
  const { written } = encoder.encodeInto(joined, all);
  if (written !== joined.length) return false;
  all[written] = END;
  let from = 0;
  let place = at;
  for (let i = 0; i < texts.length; i++, place += stride) {
    const end = scan(all, from, into, place);
    if (end < 0 || all[end] !== END) return false;
    from = end + 1;
  }
  return from === written + 1;
}

const encoder = new TextEncoder();
