/** Bytes as text that equals and sorts as the bytes do. */
export function keyText(key: Uint8Array | undefined): string {
  return key === undefined ? '' : Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}
