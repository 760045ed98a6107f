import { add, within } from '../commands.ts';

// What scenarios are about.
export const t = within('inet');
export const T = add(t.table());
export const C = add(t.chain('c'));
export const interval = { flags: ['interval'] };
export const constant = { flags: ['constant'] };
export const timeouts = { flags: ['timeout'] };
export const pairs = { type: ['ipv4_addr', 'inet_service'] };
export const S = add(t.set('s'));
export const R = add(t.set('r', interval));
export const P = add(t.set('p', { ...pairs, ...interval }));
export const M = add(t.map('m'));
export const numbers = (count: number, net = 1) =>
  Array.from({ length: count }, (_, i) => `10.0.${net}.${i + 1}`);
export const named = t.named;
export const other = within('inet', 'other');
export const ip = within('ip');
export const bridge = within('bridge');
export const netdev = within('netdev');
export const long = 'x'.repeat(300);
export const dnat = { dnat: { addr: '192.0.2.1', family: 'ip' } };
