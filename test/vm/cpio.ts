import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

const DIRECTORY = 0o040000;
const FILE = 0o100000;
const SYMLINK = 0o120000;

/**
 * Writes a cpio archive in the "newc" form, which the kernel unpacks as its first root filesystem
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Everything in it belongs to root.
 */
export class CpioWriter {
  readonly #fd: number;
  readonly #directories = new Set<string>();
  #inode = 0;

  constructor(path: string) {
    this.#fd = openSync(path, 'w');
  }

  /** A file with the content given. Its directories are made. */
  file(path: string, content: Uint8Array | string, mode = 0o644): void {
    this.#entry(path, FILE | mode, Buffer.from(content));
  }

  /** A copy of a file of this machine. */
  copy(path: string, source: string, mode = 0o755): void {
    this.#entry(path, FILE | mode, readFileSync(source));
  }

  symlink(path: string, target: string): void {
    this.#entry(path, SYMLINK | 0o777, Buffer.from(target));
  }

  directory(path: string): void {
    if (path === '' || this.#directories.has(path)) return;
    this.#directories.add(path);
    this.#entry(path, DIRECTORY | 0o755, Buffer.alloc(0));
  }

  close(): void {
    this.#entry('TRAILER!!!', 0, Buffer.alloc(0));
    closeSync(this.#fd);
  }

  #entry(path: string, mode: number, content: Buffer): void {
    const parent = path.lastIndexOf('/');
    if (parent > 0) this.directory(path.slice(0, parent));
    const name = Buffer.from(`${path}\0`);
    const header = ['070701'];
    const fields = [++this.#inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
    for (const field of fields) header.push(field.toString(16).padStart(8, '0'));
    this.#write(Buffer.concat([Buffer.from(header.join('')), name]));
    this.#write(content);
  }

  /** The bytes, and zeros up to a multiple of 4. */
  #write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    const padding = -bytes.length & 3;
    if (padding > 0) writeSync(this.#fd, Buffer.alloc(padding));
  }
}
