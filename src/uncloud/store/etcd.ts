import { StoreError } from './error.ts';
import { EtcdClient, type EtcdOptions } from './etcd-client.ts';
import { checkKey } from './key.ts';
import type {
  DeleteOptions,
  Entry,
  Listing,
  PutOptions,
  Store,
  StoreCall,
  StoreChange,
  StoreEvent,
} from './store.ts';

/** etcd's messages in JSON: 64-bit numbers and bytes are strings, and what is 0 or empty is left out. */
interface Header {
  readonly cluster_id: string;
  readonly revision?: string;
}
interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly create_revision?: string;
  readonly mod_revision?: string;
}
interface RangeAnswer {
  readonly header: Header;
  readonly kvs?: readonly KeyValue[];
  readonly more?: boolean;
}
interface TransactionAnswer {
  readonly header: Header;
  readonly succeeded?: boolean;
  readonly responses?: readonly {
    readonly response_range?: RangeAnswer;
    readonly response_delete_range?: { readonly deleted?: string };
  }[];
}
interface WatchAnswer {
  readonly header: Header;
  readonly created?: boolean;
  readonly canceled?: boolean;
  readonly compact_revision?: string;
  readonly cancel_reason?: string;
  readonly events?: readonly { readonly type?: 'PUT' | 'DELETE'; readonly kv: KeyValue }[];
}

const PAGE = 2000;
/** Milliseconds between questions whether the member that a watch hangs on still lives. */
const PULSE = 5000;

/** A store in an etcd cluster (3.4 or later), through the HTTP gateway of its members. */
export class EtcdStore implements Store {
  readonly #client: EtcdClient;

  constructor(options: EtcdOptions) {
    this.#client = new EtcdClient(options);
  }

  async list(prefix: string, { signal }: StoreCall = {}): Promise<Listing> {
    for (;;) {
      try {
        return await this.#list(prefix, signal);
      } catch (error) {
        // The revision of the first page went while the others were read.
        if (!(error instanceof StoreError && error.code === 'compacted')) throw error;
      }
    }
  }

  async #list(prefix: string, signal: AbortSignal | undefined): Promise<Listing> {
    const { key: start, range_end } = rangeOf(prefix);
    const entries: Entry[] = [];
    let header: Header | undefined;
    for (let key = start; ; ) {
      const revision = header === undefined ? {} : { revision: header.revision };
      const answer = await this.#client.call<RangeAnswer>(
        '/v3/kv/range',
        { key, range_end, limit: PAGE, sort_target: 'KEY', sort_order: 'ASCEND', ...revision },
        'repeatable',
        signal,
      );
      header ??= answer.header;
      for (const one of answer.kvs ?? []) entries.push(entryOf(one));
      const last = entries.at(-1);
      if (answer.more !== true || last === undefined) {
        return { cluster: header.cluster_id, revision: Number(header.revision), entries };
      }
      key = encode(`${last.key}\0`);
    }
  }

  async get(key: string, { signal }: StoreCall = {}): Promise<Entry | undefined> {
    checkKey(key);
    const question = { key: encode(key) };
    const { kvs } = await this.#client.call<RangeAnswer>('/v3/kv/range', question, 'repeatable', signal);
    return kvs?.[0] && entryOf(kvs[0]);
  }

  async *watch(prefix: string, from: number, { signal }: StoreCall = {}): AsyncGenerator<StoreEvent> {
    const dead = new AbortController();
    const signals = [dead.signal, ...(signal === undefined ? [] : [signal])];
    const request = { create_request: { ...rangeOf(prefix), start_revision: String(from) } };
    const stream = this.#client.stream<WatchAnswer>('/v3/watch', request, AbortSignal.any(signals));
    let pulse: NodeJS.Timeout | undefined;
    try {
      for await (const answer of stream) {
        pulse ??= this.#feelPulse(dead);
        yield* this.#told(answer, from);
      }
      throw new StoreError('unavailable', 'etcd ended the watch');
    } finally {
      clearInterval(pulse);
    }
  }

  *#told(
    { header, created, canceled, events = [], ...answer }: WatchAnswer,
    from: number,
  ): Generator<StoreEvent> {
    const { compact_revision, cancel_reason = 'etcd ended the watch' } = answer;
    const revision = Number(header.revision);
    if (compact_revision !== undefined && compact_revision !== '0')
      throw new StoreError(
        'compacted',
        `the changes before revision ${compact_revision} are no longer known`,
      );
    if (canceled === true) {
      this.#client.forgetToken();
      throw new StoreError(/permission denied/.test(cancel_reason) ? 'denied' : 'unavailable', cancel_reason);
    }
    if (created === true && revision < from - 1)
      throw new StoreError('compacted', `the store is at revision ${revision}, before ${from - 1}`);
    if (created !== true && events.length === 0) return;
    const changes = events.map(({ type, kv }): StoreChange => {
      const key = decode(kv.key);
      return type === 'DELETE' ? { key } : { key, entry: entryOf(kv) };
    });
    // What a new watch is told first may lie behind the store's present.
    const last = events.at(-1)?.kv.mod_revision;
    yield { cluster: header.cluster_id, revision: last === undefined ? from - 1 : Number(last), changes };
  }

  /** A member that dies without a word leaves its watches waiting: ask it, and see who answers. */
  #feelPulse(dead: AbortController): NodeJS.Timeout {
    const member = this.#client.endpoint;
    const question = { key: encode('\0'), limit: 1 };
    const isLost = () => dead.abort(new StoreError('unavailable', `${member} does not answer`));
    return setInterval(() => {
      this.#client.call('/v3/kv/range', question, 'repeatable', dead.signal).then(
        () => this.#client.endpoint === member || isLost(),
        (error) => error instanceof StoreError && error.code === 'unavailable' && isLost(),
      );
    }, PULSE);
  }

  async put(key: string, value: string, options: PutOptions = {}): Promise<number> {
    const { expected, ttl, signal } = options;
    checkKey(key);
    const lease = ttl === undefined ? {} : { lease: await this.#grant(ttl, signal) };
    const put = { request_put: { key: encode(key), value: encode(value), ...lease } };
    const { header } = await this.#change(key, expected, put, signal);
    return Number(header.revision);
  }

  async delete(key: string, { expected, signal }: DeleteOptions = {}): Promise<boolean> {
    checkKey(key);
    const remove = { request_delete_range: { key: encode(key) } };
    const { responses } = await this.#change(key, expected, remove, signal);
    return Number(responses?.[0]?.response_delete_range?.deleted ?? 0) > 0;
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #grant(ttl: number, signal: AbortSignal | undefined): Promise<string> {
    const question = { TTL: String(Math.ceil(ttl)) };
    const { ID } = await this.#client.call<{ ID: string }>('/v3/lease/grant', question, 'repeatable', signal);
    return ID;
  }

  async #change(
    key: string,
    expected: number | undefined,
    change: object,
    signal: AbortSignal | undefined,
  ): Promise<TransactionAnswer> {
    const isSame = { key: encode(key), target: 'MOD', result: 'EQUAL', mod_revision: String(expected) };
    const transaction = {
      compare: expected === undefined ? [] : [isSame],
      success: [change],
      failure: [{ request_range: { key: encode(key) } }],
    };
    const answer = await this.#client.call<TransactionAnswer>('/v3/kv/txn', transaction, 'once', signal);
    if (answer.succeeded === true) return answer;
    const found = answer.responses?.[0]?.response_range?.kvs?.[0]?.mod_revision ?? '0';
    throw new StoreError('conflict', `${key} is at revision ${found}, not ${expected}`);
  }
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}

function entryOf({ key, value = '', create_revision = '0', mod_revision = '0' }: KeyValue): Entry {
  return {
    key: decode(key),
    value: decode(value),
    revision: Number(mod_revision),
    created: Number(create_revision),
  };
}

/** All keys that begin with a prefix: up to the first that is greater than all of them. */
function rangeOf(prefix: string): { key: string; range_end: string } {
  if (prefix === '') return { key: encode('\0'), range_end: encode('\0') };
  const end = Buffer.from(prefix);
  const last = end.length - 1;
  end[last] = (end[last] as number) + 1;
  return { key: encode(prefix), range_end: end.toString('base64') };
}
