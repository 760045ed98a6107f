/**
 * A stand-in for the kernel, for tests of programs that use nftjs: no privileges, no namespaces, no addon.
 *
 * A {@link FakeConnection} is a connection like any other, except for what it speaks with: an nf_tables in
 * memory, which takes the very messages that the kernel would get, refuses what the kernel refuses, with the
 * same codes and paths, undoes all of a transaction when a part of it fails, and answers as the kernel does.
 *
 * ```ts
 * import { fakeConnection } from 'nftjs/testing';
 *
 * using nft = fakeConnection({ interfaces: [{ name: 'lo', index: 1 }, { name: 'eth0', index: 2 }] });
 * await blockAddress(nft, '192.0.2.1');
 * console.log(await nft.list(), nft.kernel.commits[0]?.commands);
 *
 * nft.kernel.failNext({ code: 'EBUSY', operation: 0 });
 * nft.kernel.interfere([{ add: { table: { family: 'inet', name: 'faster' } } }]);
 * ```
 *
 * What it does not do: carry packets. So nothing counts, nothing is added to sets by rules, and instructions
 * are looked at only as far as they name something or may not stand somewhere. So
 * `trace` has nothing to tell, and says so; `monitor` tells of every commit, and `logged` of what a test has
 * `kernel.logPacket` log.
 *
 * @packageDocumentation
 */
export { FakeConnection } from './fake-connection.ts';
export {
  type Failure,
  type FakeCommit,
  FakeKernel,
  type FakeKernelOptions,
  fakeConnection,
} from './fake-kernel.ts';
export type { FakePacket } from './packet-log.ts';
