import { type FSWatcher, type Stats, watch } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { StoreError } from './error.ts';
import { codeOf, writeAtomically } from './file.ts';
import { History } from './history.ts';
import { checkKey } from './key.ts';
import { FileLock } from './lock.ts';
import type { DeleteOptions, Entry, Listing, PutOptions, Store, StoreCall, StoreEvent } from './store.ts';

/** How a {@link DirectoryStore} is kept. */
export interface DirectoryOptions {
  /**
   * Milliseconds between looks at all files, should the kernel have lost a notice (or should the directory be
   * on a network file system, which sends none); default 30,000.
   */
  readonly rescan?: number;
}

const SUFFIX = '.json';
/** Who reads a record may be another user than who wrote it: the directory's rights and the umask say. */
const SHARED = 0o666;
/** Editors and copies come in several steps: wait for the last, this many milliseconds. */
const SETTLE = 5;
const AT_ONCE = 64;

/** What a file was when it was read. */
interface Seen {
  readonly fingerprint: string;
  /** Deletes the key when its time is over. */
  readonly expiry: NodeJS.Timeout | undefined;
}

/**
 * A store in a directory: the key `distributed-firewall/vm/343a` is the file
 * `distributed-firewall/vm/343a.json` in it. No server is needed, and any editor, `cp` or `rsync` may change
 * the files; several processes of one host may use it at once.
 *
 * A value is put as a whole (a new file takes the old one's place) and is on the disk when `put` returns.
 * Files whose names begin with a dot are not keys: a key that goes by itself has the time beside it, in
 * `.343a.expires`. Revisions are microseconds since 1970, of when this object saw a change; what was there
 * before is as old as its file.
 */
export class DirectoryStore implements Store {
  readonly #root: string;
  readonly #rescan: number;
  readonly #lock: FileLock;
  readonly #history: History;
  readonly #seen = new Map<string, Seen>();
  readonly #watchers = new Map<string, FSWatcher>();
  /** Paths to look at, and the look that is under way. */
  readonly #dirty = new Set<string>();
  #looking: Promise<void> = Promise.resolve();
  #settling: NodeJS.Timeout | undefined;
  /** The first look at everything. */
  #opening: Promise<void> | undefined;
  #closed = false;

  /** @param directory - made with the first `put`, if it does not exist */
  constructor(directory: string, { rescan = 30_000 }: DirectoryOptions = {}) {
    this.#root = directory;
    this.#rescan = rescan;
    this.#lock = new FileLock(join(directory, '.lock'));
    this.#history = new History(resolve(directory), 1);
  }

  async list(prefix: string, { signal }: StoreCall = {}): Promise<Listing> {
    await this.#open(signal);
    await this.#look('');
    signal?.throwIfAborted();
    return this.#history.list(prefix);
  }

  async get(key: string, { signal }: StoreCall = {}): Promise<Entry | undefined> {
    checkKey(key);
    await this.#open(signal);
    await this.#look(key + SUFFIX);
    signal?.throwIfAborted();
    return this.#history.get(key);
  }

  async *watch(prefix: string, from: number, { signal }: StoreCall = {}): AsyncGenerator<StoreEvent> {
    await this.#open(signal);
    const timer = setInterval(() => this.#lookSoon(['']), this.#rescan);
    try {
      yield* this.#history.watch(prefix, from, { signal });
    } finally {
      clearInterval(timer);
    }
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<number> {
    const { expected, ttl, signal } = options;
    checkKey(key);
    await mkdir(dirname(this.#path(key)), { recursive: true }).catch(failed);
    return this.#change(key, expected, signal, async () => {
      const file = this.#path(key + SUFFIX);
      const expires = this.#path(expiresOf(key));
      if (ttl === undefined) await rm(expires, { force: true });
      else await writeAtomically(expires, `${Date.now() + ttl * 1000}\n`, SHARED);
      await writeAtomically(file, value, SHARED);
      await this.#look(key + SUFFIX);
      return (this.#history.get(key) as Entry).revision;
    });
  }

  async delete(key: string, { expected, signal }: DeleteOptions = {}): Promise<boolean> {
    checkKey(key);
    return this.#change(key, expected, signal, async () => {
      const was = this.#history.get(key) !== undefined;
      await rm(this.#path(key + SUFFIX), { force: true });
      await rm(this.#path(expiresOf(key)), { force: true });
      await this.#look(key + SUFFIX);
      return was;
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#settling);
    this.#unobserve(() => true);
    for (const { expiry } of this.#seen.values()) clearTimeout(expiry);
    await this.#looking.catch(() => {});
    this.#history.fail(closed());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Changes a key while no other process does, as it is expected to be. */
  async #change<T>(
    key: string,
    expected: number | undefined,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    await this.#open(signal);
    try {
      return await this.#lock.hold(async () => {
        await this.#look(key + SUFFIX);
        const found = this.#history.get(key)?.revision ?? 0;
        if (expected !== undefined && expected !== found)
          throw new StoreError('conflict', `${key} is at revision ${found}, not ${expected}`);
        return work();
      }, signal);
    } catch (error) {
      return failed(error);
    }
  }

  #open(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#closed) throw closed();
    this.#opening ??= this.#look('').then(
      () => this.#history.compact(),
      (error) => {
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }

  /** Looks at a file or a directory again, after the looks that are under way. */
  #look(path: string): Promise<void> {
    const look = this.#looking.catch(() => {}).then(() => this.#visit(path));
    this.#looking = look;
    return look;
  }

  async #visit(path: string): Promise<void> {
    if (this.#closed) throw closed();
    try {
      const found = await stat(this.#path(path));
      if (found.isDirectory()) await this.#visitDirectory(path);
      else if (path.endsWith(SUFFIX)) await this.#visitFile(path, found);
      if (path === '') this.#history.recover();
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw failed(error);
      if (path === '') {
        this.#unobserve(() => true);
        throw new StoreError('unavailable', `there is no directory ${this.#root}`, { cause: error });
      }
      this.#forget(path);
    }
  }

  async #visitDirectory(path: string): Promise<void> {
    this.#observe(path);
    const names = (await readdir(this.#path(path))).filter((name) => !name.startsWith('.'));
    const below = names.map((name) => (path === '' ? name : `${path}/${name}`));
    for (let i = 0; i < below.length; i += AT_ONCE)
      await Promise.all(below.slice(i, i + AT_ONCE).map((child) => this.#visit(child)));
    const there = new Set(below);
    const start = path === '' ? '' : `${path}/`;
    for (const file of [...this.#seen.keys()]) {
      if (!file.startsWith(start)) continue;
      const [name] = file.slice(start.length).split('/');
      if (!there.has(start + name)) this.#forget(file);
    }
  }

  async #visitFile(path: string, { ino, size, mtimeMs, ctimeMs, birthtimeMs }: Stats): Promise<void> {
    const key = path.slice(0, -SUFFIX.length);
    const fingerprint = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    const seen = this.#seen.get(path);
    if (seen?.fingerprint === fingerprint) return;
    try {
      checkKey(key);
    } catch {
      return; // a file that is nobody's key
    }
    const value = await readFile(this.#path(path), 'utf8');
    const expires = await readFile(this.#path(expiresOf(key)), 'utf8').then(Number, () => undefined);
    clearTimeout(seen?.expiry);
    if (expires !== undefined && expires <= Date.now()) return this.#expire(key);
    const expiry = expires === undefined ? undefined : this.#timer(key, expires - Date.now());
    this.#seen.set(path, { fingerprint, expiry });
    const born = Math.floor(Math.min(birthtimeMs || ctimeMs, ctimeMs) * 1000);
    this.#history.put(key, value, this.#next(Math.floor(ctimeMs * 1000)), born);
  }

  #timer(key: string, milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => void this.#expire(key).catch(() => {}), milliseconds).unref();
  }

  async #expire(key: string): Promise<void> {
    this.#forget(key + SUFFIX);
    await rm(this.#path(key + SUFFIX), { force: true });
    await rm(this.#path(expiresOf(key)), { force: true });
  }

  /** A file is gone, or a directory with all that was in it. */
  #forget(path: string): void {
    const isGone = (one: string) => one === path || one.startsWith(`${path}/`);
    for (const [file, { expiry }] of this.#seen) {
      if (!isGone(file)) continue;
      clearTimeout(expiry);
      this.#seen.delete(file);
      this.#history.delete(file.slice(0, -SUFFIX.length), this.#next(Date.now() * 1000));
    }
    this.#unobserve(isGone);
  }

  /** A revision for what is seen now: a time, and later than all before. */
  #next(at: number): number {
    return Math.max(this.#history.revision + 1, at);
  }

  /** Has the kernel tell of changes in a directory. */
  #observe(directory: string): void {
    if (this.#watchers.has(directory)) return;
    const watcher = watch(this.#path(directory), { persistent: false }, (_, name) => {
      if (name?.startsWith('.') === true) return;
      this.#dirty.add(name === null ? directory : directory === '' ? name : `${directory}/${name}`);
      this.#settling ??= setTimeout(() => this.#settle(), SETTLE);
    });
    watcher.on('error', () => this.#unobserve((one) => one === directory));
    this.#watchers.set(directory, watcher);
  }

  #unobserve(isGone: (directory: string) => boolean): void {
    for (const [directory, watcher] of this.#watchers) {
      if (!isGone(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
  }

  #settle(): void {
    this.#settling = undefined;
    const paths = [...this.#dirty];
    this.#dirty.clear();
    this.#lookSoon(paths);
  }

  /** Looks for the watchers' sake: they are told what goes wrong. */
  #lookSoon(paths: readonly string[]): void {
    for (const path of paths) this.#look(path).catch((error) => this.#history.fail(error));
  }

  #path(path: string): string {
    return join(this.#root, path);
  }
}

function expiresOf(key: string): string {
  const slash = key.lastIndexOf('/') + 1;
  return `${key.slice(0, slash)}.${key.slice(slash)}.expires`;
}

function closed(): StoreError {
  return new StoreError('unavailable', 'the store is closed');
}

function failed(error: unknown): never {
  if (codeOf(error) === undefined || error instanceof StoreError) throw error;
  const denied = codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM';
  throw new StoreError(denied ? 'denied' : 'unavailable', (error as Error).message, { cause: error });
}
