import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { StoreError } from './error.ts';

/** How to reach an etcd cluster. */
export interface EtcdOptions {
  /** URLs of its members: `https://etcd1:2379`. The one that answered last is asked first. */
  readonly endpoints: readonly string[];
  /** For `https:`, in PEM: whom to trust instead of the system's authorities, and who we are. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly user?: string;
  readonly password?: string;
  /** Milliseconds that an answer may take; default 5,000. */
  readonly timeout?: number;
}

/** What etcd's gateway says where it does not do as asked. */
interface Refusal {
  readonly code?: number;
  readonly message?: string;
  readonly error?: string | Refusal;
}

/** gRPC's status codes, as far as etcd's mean something of their own here. */
const STATUS: Readonly<Record<number, StoreError['code']>> = {
  3: 'invalid',
  7: 'denied',
  11: 'compacted',
  16: 'denied',
};
const UNAUTHENTICATED = 16;
/** The connection was never made: nothing can have happened. */
const NOT_CONNECTED = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'];

/** Whether asking another member after a failure could do a thing twice. */
export type Repeatable = 'repeatable' | 'once';

/**
 * Speaks to etcd's HTTP gateway (`/v3/…`, etcd 3.4 and later), which every member has beside gRPC: requests
 * and answers are JSON, watches a line of JSON at a time.
 */
export class EtcdClient {
  readonly #options: EtcdOptions;
  readonly #agents = new Map<string, HttpAgent | HttpsAgent>();
  readonly #closing = new AbortController();
  #endpoint = 0;
  #token: string | undefined;

  constructor(options: EtcdOptions) {
    if (options.endpoints.length === 0) throw new StoreError('invalid', 'etcd needs an endpoint');
    for (const endpoint of options.endpoints) {
      const { protocol } = new URL(endpoint);
      if (protocol !== 'http:' && protocol !== 'https:')
        throw new StoreError('invalid', `${endpoint}: neither http: nor https:`);
    }
    this.#options = options;
  }

  /** The member that is asked first. */
  get endpoint(): string {
    return this.#options.endpoints[this.#endpoint] as string;
  }

  /** Asks one question. */
  async call<T>(path: string, body: unknown, how: Repeatable, signal?: AbortSignal): Promise<T> {
    const response = await this.#request(path, body, how, signal);
    return (await this.#read(() => text(response).then(JSON.parse), signal)) as T;
  }

  /** Asks for a stream of answers; it ends when the connection does. */
  async *stream<T>(path: string, body: unknown, signal?: AbortSignal): AsyncGenerator<T> {
    const response = await this.#request(path, body, 'repeatable', signal);
    response.setTimeout(0);
    try {
      let rest = '';
      response.setEncoding('utf8');
      const parts = response[Symbol.asyncIterator]();
      for (;;) {
        const part = await this.#read(() => parts.next(), signal);
        if (part.done === true) return;
        const lines = (rest + part.value).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const answer = JSON.parse(line) as { result?: T; error?: Refusal };
          if (answer.result === undefined) throw this.#refused(answer.error ?? {});
          yield answer.result;
        }
      }
    } finally {
      response.destroy();
    }
  }

  /** A member refused the token, which does not last for ever: the next call asks for another. */
  forgetToken(): void {
    this.#token = undefined;
  }

  close(): void {
    this.#closing.abort();
    for (const agent of this.#agents.values()) agent.destroy();
  }

  async #request(
    path: string,
    body: unknown,
    how: Repeatable,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const { endpoints, user } = this.#options;
    let failure: StoreError | undefined;
    for (let attempt = 0; attempt < endpoints.length + 1; attempt++) {
      try {
        const isFirst = this.#token === undefined;
        if (user !== undefined && isFirst) await this.#authenticate(signal);
        const response = await this.#send(path, body, signal);
        if (response.statusCode === 200) return response;
        const refusal = await text(response).then((json) => JSON.parse(json) as Refusal);
        const error = this.#refused(refusal);
        if (refusal.code === UNAUTHENTICATED && user !== undefined && !isFirst) continue;
        if (error.code !== 'unavailable') throw error;
        failure = error;
      } catch (error) {
        signal?.throwIfAborted();
        failure = asStoreError(error, this.endpoint);
        if (failure.code !== 'unavailable' || this.#closing.signal.aborted) throw failure;
        if (how === 'once' && !NOT_CONNECTED.includes((error as NodeJS.ErrnoException).code ?? ''))
          throw failure;
      }
      this.#endpoint = (this.#endpoint + 1) % endpoints.length;
    }
    throw failure ?? new StoreError('denied', 'etcd takes no token');
  }

  async #authenticate(signal: AbortSignal | undefined): Promise<void> {
    const { user: name, password } = this.#options;
    const response = await this.#send('/v3/auth/authenticate', { name, password }, signal);
    const answer = JSON.parse(await text(response)) as Refusal & { token?: string };
    if (answer.token === undefined) {
      const error = this.#refused(answer);
      throw error.code === 'unavailable' ? error : new StoreError('denied', error.message);
    }
    this.#token = answer.token;
  }

  #send(path: string, body: unknown, signal: AbortSignal | undefined): Promise<IncomingMessage> {
    const endpoint = this.endpoint;
    const url = new URL(path, endpoint);
    const { tls, timeout = 5000 } = this.#options;
    const isSecure = url.protocol === 'https:';
    let agent = this.#agents.get(endpoint);
    if (agent === undefined) {
      agent = isSecure ? new HttpsAgent({ keepAlive: true, ...tls }) : new HttpAgent({ keepAlive: true });
      this.#agents.set(endpoint, agent);
    }
    return new Promise((resolve, reject) => {
      const json = JSON.stringify(body);
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(json),
        ...(this.#token !== undefined && { authorization: this.#token }),
      };
      const signals = [this.#closing.signal, ...(signal === undefined ? [] : [signal])];
      const send = isSecure ? httpsRequest : httpRequest;
      const request = send(url, {
        method: 'POST',
        agent,
        headers,
        timeout,
        signal: AbortSignal.any(signals),
      });
      request.once('timeout', () => request.destroy(new Error(`no answer within ${timeout} ms`)));
      request.once('response', resolve);
      request.on('error', reject);
      request.end(json);
    });
  }

  /** What the connection gives, or why it broke. */
  async #read<T>(read: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    try {
      return await read();
    } catch (error) {
      signal?.throwIfAborted();
      throw asStoreError(error, this.endpoint);
    }
  }

  #refused(refusal: Refusal): StoreError {
    const { code = 0, message, error } = typeof refusal.error === 'object' ? refusal.error : refusal;
    if (code === UNAUTHENTICATED) this.forgetToken();
    return new StoreError(STATUS[code] ?? 'unavailable', message ?? String(error ?? 'etcd refused'));
  }
}

function asStoreError(error: unknown, endpoint: string): StoreError {
  if (error instanceof StoreError) return error;
  return new StoreError('unavailable', `${endpoint}: ${(error as Error).message}`, { cause: error });
}
