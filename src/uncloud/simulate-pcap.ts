const MAGIC = { microseconds: 0xa1b2c3d4, nanoseconds: 0xa1b23c4d, pcapng: 0x0a0d0d0a } as const;
const FILE_HEADER = 24;
const PACKET_HEADER = 16;
const ETHERNET = 1;

/**
 * The frames of a capture file as `tcpdump -w` writes it (pcap-savefile(5)), in either byte order.
 *
 * @throws SyntaxError for another format, another link type, a file that ends within a packet, and a packet
 *   of which not all was captured
 */
export function framesOf(file: Buffer): Buffer[] {
  if (file.length < FILE_HEADER) throw new SyntaxError('not a capture file: too short');
  const isLittle = isMagic(file.readUInt32LE(0));
  const number = (at: number) => (isLittle ? file.readUInt32LE(at) : file.readUInt32BE(at));
  if (number(0) === MAGIC.pcapng)
    throw new SyntaxError('a pcapng file: write pcap (tcpdump -w, editcap -F pcap)');
  if (!isMagic(number(0))) throw new SyntaxError('not a capture file');
  if ((number(20) & 0xffff) !== ETHERNET) throw new SyntaxError('its link type is not Ethernet');
  const frames: Buffer[] = [];
  for (let at = FILE_HEADER; at < file.length; ) {
    if (at + PACKET_HEADER > file.length) throw new SyntaxError(`packet ${frames.length + 1} is cut off`);
    const [captured, length] = [number(at + 8), number(at + 12)];
    const end = at + PACKET_HEADER + captured;
    if (captured < length || end > file.length)
      throw new SyntaxError(`packet ${frames.length + 1} is cut off`);
    frames.push(file.subarray(at + PACKET_HEADER, end));
    at = end;
  }
  return frames;
}

function isMagic(value: number): boolean {
  return value === MAGIC.microseconds || value === MAGIC.nanoseconds;
}
