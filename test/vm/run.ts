/**
 * Boots Debian's cloud kernel in qemu and runs tests there: the files named on the command line, or those
 * whose answers may be another kernel's. NFTJS_VM_TIMEOUT is its limit in seconds, 900 without.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GUEST_ROOT, writeImage } from './image.ts';
import { runMachine } from './machine.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KERNEL = join(ROOT, '.cache/kernel');

/** Folders of tests that ask a kernel. */
const KERNEL_TESTS = ['test/vm/guest', 'test/kernel', 'test/frames'];

/** What else does, elsewhere. */
const ALSO: readonly string[] = [
  'test/uncloud/groups.test.ts',
  'test/uncloud/nat.test.ts',
  'test/uncloud/traffic.test.ts',
];

/**
 * Files there whose point is load, many rounds of the same, or programs that start: emulation is twenty times slower than the
 * machine, and their answers are no other on another kernel.
 */
const NOT_EMULATED: readonly string[] = [
  'test/frames/demo.test.ts',
  'test/frames/forwarding-database.test.ts',
  'test/frames/packet.test.ts',
  'test/frames/rig.test.ts',
  'test/kernel/concurrency.test.ts',
  'test/kernel/large.test.ts',
  'test/kernel/elements.test.ts',
  'test/kernel/monitor.test.ts',
  'test/kernel/monitor-text.test.ts',
  'test/kernel/reconcile.test.ts',
  'test/kernel/reconcile-vectors.test.ts',
  'test/kernel/same-suite.test.ts',
  'test/kernel/torn.test.ts',
  'test/kernel/vectors.test.ts',
  'test/kernel/writers.test.ts',
];

const named = process.argv.slice(2).map((file) => relative(ROOT, resolve(file)));
const absent = named.filter((file) => !existsSync(join(ROOT, file)));
if (absent.length > 0) {
  console.error(`no such file: ${absent.join(', ')}`);
  process.exit(2);
}
const files = named.length > 0 ? named : kernelTests();

const directory = mkdtempSync(join(tmpdir(), 'nftjs-vm-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

const image = join(directory, 'image.cpio');
writeImage(image, ROOT, KERNEL, guestScript(files));
const started = Date.now();
try {
  process.exitCode = await runMachine({
    kernel: join(KERNEL, 'vmlinuz'),
    image,
    directory,
    timeout: Number(process.env.NFTJS_VM_TIMEOUT ?? 900),
  });
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
console.log(`the VM ran ${files.length} test files in ${Math.round((Date.now() - started) / 1000)} seconds`);

/** The test files that have something to ask of a kernel. */
function kernelTests(): string[] {
  const inFolders = KERNEL_TESTS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { encoding: 'utf8' }).map((file) => join(folder, file)),
  ).filter((file) => file.endsWith('.test.ts') && !NOT_EMULATED.includes(file));
  return [...inFolders, ...ALSO].sort();
}

function guestScript(files: string[]): string {
  return [
    '#!/bin/sh',
    `cd ${GUEST_ROOT}`,
    'export NFTJS_VECTORS=/vectors NODE_OPTIONS=--enable-source-maps',
    `exec sh scripts/test ${files.map((file) => `'${file}'`).join(' ')}`,
    '',
  ].join('\n');
}
