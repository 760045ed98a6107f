import { createRequire } from 'node:module';
import type { Driver, Session } from '../driver.ts';

const LIBRARY = 'libnftables.so.1';
/** NFT_CTX_OUTPUT_JSON of nftables/libnftables.h. */
const JSON_FLAG = 1 << 4;

/** What is used of the package ffi-rs, which is there for these measurements alone. */
interface Ffi {
  readonly DataType: Readonly<Record<'String' | 'I32' | 'U32' | 'Boolean' | 'Void' | 'External', number>>;
  open(library: { library: string; path: string }): void;
  load(call: {
    library: string;
    funcName: string;
    retType: number;
    paramsType: readonly number[];
    paramsValue: readonly unknown[];
  }): unknown;
}

let ffi: Ffi | undefined;

function missing(): string | undefined {
  try {
    ffi = createRequire(import.meta.url)('ffi-rs') as Ffi;
  } catch {
    return 'the package ffi-rs is not installed';
  }
  try {
    ffi.open({ library: LIBRARY, path: LIBRARY });
    return undefined;
  } catch {
    return `${LIBRARY} is not installed`;
  }
}

/** libnftables in this process: nft without the process. */
function inProcess(input: 'text' | 'json'): Driver {
  return {
    missing,
    open(): Session {
      const reason = missing();
      if (ffi === undefined || reason !== undefined) throw new Error(reason);
      const { load, DataType } = ffi;
      const call = (
        funcName: string,
        retType: keyof Ffi['DataType'],
        ...args: [keyof Ffi['DataType'], unknown][]
      ) =>
        load({
          library: LIBRARY,
          funcName,
          retType: DataType[retType],
          paramsType: args.map(([type]) => DataType[type]),
          paramsValue: args.map(([, value]) => value),
        });
      const context = call('nft_ctx_new', 'External', ['U32', 0]);
      call('nft_ctx_buffer_output', 'I32', ['External', context]);
      call('nft_ctx_buffer_error', 'I32', ['External', context]);
      if (input === 'json')
        call('nft_ctx_output_set_flags', 'Void', ['External', context], ['U32', JSON_FLAG]);
      const run = (commands: string) => {
        if (call('nft_run_cmd_from_buffer', 'I32', ['External', context], ['String', commands]) !== 0) {
          throw new Error(
            String(call('nft_ctx_get_error_buffer', 'String', ['External', context])).slice(0, 200),
          );
        }
      };
      return {
        prepare(work) {
          const commands = input === 'text' ? work.text() : JSON.stringify({ nftables: work.commands() });
          return () => run(commands);
        },
        list() {
          run(input === 'text' ? 'list ruleset' : '{"nftables":[{"list":{"ruleset":null}}]}');
          const listing = String(call('nft_ctx_get_output_buffer', 'String', ['External', context]));
          return input === 'json' ? JSON.parse(listing) : listing;
        },
        close: () => void call('nft_ctx_free', 'Void', ['External', context]),
      };
    },
  };
}

export const text = inProcess('text');
export const json = inProcess('json');
