export * from './ct.ts';
export * from './families.ts';
export type { FieldLayout } from './field.ts';
export type { Header, HeaderChecksum, HeaderField, HeaderTunnel, PayloadBase } from './header.ts';
export { payloadBases } from './header.ts';
export * from './headers.ts';
export { ProtocolLookupError } from './lookup.ts';
export * from './meta.ts';
export type { Selector } from './selector.ts';
