/**
 * Readers of text as it usually stands in large sets, straight into bytes and without anything in between.
 * Each says whether the whole text was such; where it says no, the bytes that it leaves mean nothing.
 */

const COLON = 0x3a;
const DOT = 0x2e;
const ZERO = 0x30;

/** Four decimal parts from `start` to the end, no short or octal forms: 4 bytes. */
export function scanIpv4(text: string, start: number, into: Uint8Array, at: number): boolean {
  let i = start;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && text.charCodeAt(i++) !== DOT) return false;
    const first = i;
    let value = 0;
    for (;;) {
      const digit = text.charCodeAt(i) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
      i++;
      if (value > 255) return false;
    }
    if (i === first || (i - first > 1 && text.charCodeAt(first) === ZERO)) return false;
    into[at + part] = value;
  }
  return i === text.length;
}

/** Eight groups, one run of zeros as `::`, the last two in IPv4's form where they are (RFC 4291): 16 bytes. */
export function scanIpv6(text: string, into: Uint8Array, at: number): boolean {
  const end = text.length;
  let i = 0;
  let groups = 0;
  let gap = -1;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return false;
    gap = 0;
    i = 2;
  }
  while (i < end) {
    if (groups === 8) return false;
    const first = i;
    let value = 0;
    for (; i < end; i++) {
      const digit = hexDigit(text.charCodeAt(i));
      if (digit < 0) break;
      value = (value << 4) | digit;
    }
    if (text.charCodeAt(i) === DOT) {
      if (groups > 6 || !scanIpv4(text, first, into, at + groups * 2)) return false;
      groups += 2;
      break;
    }
    if (i === first || i - first > 4) return false;
    into[at + groups * 2] = value >> 8;
    into[at + groups * 2 + 1] = value;
    groups++;
    if (i === end) break;
    if (text.charCodeAt(i++) !== COLON) return false;
    if (text.charCodeAt(i) === COLON) {
      if (gap >= 0) return false;
      gap = groups;
      i++;
    } else if (i === end) return false;
  }
  if (gap < 0) return groups === 8;
  if (groups === 8) return false;
  const zeros = 16 - groups * 2;
  for (let byte = 15; byte >= gap * 2 + zeros; byte--) into[at + byte] = into[at + byte - zeros] as number;
  into.fill(0, at + gap * 2, at + gap * 2 + zeros);
  return true;
}

/** `count` bytes of one or two hexadecimal digits, with colons between them. */
export function scanLinkLayer(text: string, count: number, into: Uint8Array, at: number): boolean {
  let i = 0;
  for (let byte = 0; byte < count; byte++) {
    if (byte > 0 && text.charCodeAt(i++) !== COLON) return false;
    let value = hexDigit(text.charCodeAt(i++));
    if (value < 0) return false;
    const second = hexDigit(text.charCodeAt(i));
    if (second >= 0) {
      value = (value << 4) | second;
      i++;
    }
    into[at + byte] = value;
  }
  return i === text.length;
}

/** Up to `room` visible ASCII characters. */
export function scanAscii(text: string, room: number, into: Uint8Array, at: number): boolean {
  if (text.length > room) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f) return false;
    into[at + i] = code;
  }
  return true;
}

/** What a digit counts; -1 for anything else, NaN too. */
function hexDigit(code: number): number {
  if (code >= ZERO && code <= 0x39) return code - ZERO;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
