export { type DirectoryOptions, DirectoryStore } from './directory.ts';
export { StoreError, type StoreErrorCode } from './error.ts';
export { EtcdStore } from './etcd.ts';
export type { EtcdOptions } from './etcd-client.ts';
export { type Faults, MemoryStore } from './memory.ts';
export { openStore, type StoreCredentials } from './open.ts';
export type * from './store.ts';
