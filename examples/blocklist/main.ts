/**
 * A blocklist that is fed by the minute: a million addresses, each with its own time to live, loaded in one
 * transaction into a set of declared size; then single ones come and go without touching the others.
 *
 *   node --import tsx examples/blocklist/main.ts [--count 1000000] [--netns PATH]
 */
import { parseArgs } from 'node:util';
import { connect, drop, element, ip, table, transaction } from 'nftjs';

const { netns, count: countText } = parseArgs({
  options: { netns: { type: 'string' }, count: { type: 'string', default: '1000000' } },
}).values;
const count = Number(countText);

/** Address number `i` of 10.0.0.0/8. */
const address = (i: number) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
const HOUR = 3600;

const name = { family: 'ip', name: 'blocklist' } as const;
const blocklist = table(name.family, name.name)
  // The size makes the kernel take its fastest set, and is a limit: leave room for what comes.
  .set('blocked', { type: 'ipv4_addr', flags: ['timeout'], size: count * 2 })
  .chain('prerouting', { type: 'filter', hook: 'prerouting', priority: 'raw' })
  .rule('prerouting', ip.saddr.in('@blocked'), drop())
  .elements(
    'blocked',
    Array.from({ length: count }, (_, i) => element(address(i), { timeout: HOUR + (i % HOUR) })),
  );

await using nft = connect(netns === undefined ? {} : { netns });
const milliseconds = async (work: () => Promise<unknown>) => {
  const before = performance.now();
  await work();
  return (performance.now() - before).toFixed(1);
};

const all = transaction().destroy({ table: name }).concat(blocklist.commands);
console.log(`${count} addresses: ${await milliseconds(() => nft.commit(all))} ms`);

const late = blocklist.element('blocked', [element('192.0.2.1', { timeout: 60 })]);
console.log(`one more: ${await milliseconds(() => nft.commit(transaction().add({ element: late })))} ms`);
const first = blocklist.element('blocked', [address(0)]);
console.log(`one less: ${await milliseconds(() => nft.commit(transaction().delete({ element: first })))} ms`);
