/**
 * The conntrack zone of a port or bridge: 1 to 65535, the same on every host. Two names may fall on one
 * zone; that is of no consequence unless their flows are the same to the last port.
 */
export function zoneOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193) >>> 0;
  return 1 + (((hash ^ (hash >>> 16)) & 0xffff) % 0xffff);
}
