/** Where the library is: beside the sources of the benchmarks, or around them where they are shipped with it. */
export const dist = new URL(import.meta.url.endsWith('.ts') ? '../dist/' : '../', import.meta.url).href;

/**
 * The library as it is shipped: what is measured is `dist`, not what a loader makes of the sources. Parts
 * that are not exported come from their own files.
 */
async function load<T>(file: string): Promise<T> {
  return (await import(`${dist}${file}`)) as T;
}

export const nftjs = await load<typeof import('../src/index.ts')>('index.js');
export const uncloud = await load<typeof import('../src/uncloud/index.ts')>('uncloud/index.js');
export const compiler = await load<typeof import('../src/transaction/index.ts')>('transaction/index.js');
export const wire = await load<typeof import('../src/wire/attribute-reader.ts')>('wire/attribute-reader.js');
export const messages = await load<typeof import('../src/netlink/message.ts')>('netlink/message.js');
export const queries = await load<typeof import('../src/netlink/query.ts')>('netlink/query.js');
export const kernel = await load<typeof import('../src/message/index.ts')>('message/index.js');
