/**
 * Keeps a table as it should be: whoever changes it finds their change undone, by the smallest transaction that
 * does, with the counters of everything else kept. Listens for commits instead of looking again and again.
 *
 *   node --import tsx examples/self-heal/main.ts [--repairs N] [--netns PATH]
 *
 * `--repairs` ends it after so many repairs.
 */
import { parseArgs } from 'node:util';
import { accept, connect, counter, drop, reconcile, stringify, table, tcp } from 'nftjs';

const { netns, repairs: repairsText } = parseArgs({
  options: { netns: { type: 'string' }, repairs: { type: 'string', default: 'Infinity' } },
}).values;

const guarded = { family: 'inet', table: 'guarded' } as const;
const desired = table(guarded.family, guarded.table)
  .chain('input', { type: 'filter', hook: 'input', priority: 'filter', policy: 'accept' })
  .rule('input', tcp.dport.eq(22), counter(), accept())
  .rule('input', tcp.dport.eq(23), counter(), drop())
  .toJSON();

await using nft = connect(netns === undefined ? {} : { netns });
// Listen first: nothing that happens between looking and listening is missed.
const events = nft.monitor(guarded);
await reconcile(nft, desired);
console.log('in force');

let repairs = Number(repairsText);
for await (const event of events) {
  // What was lost in an overrun may have been anything: look as well.
  if (!event.overrun && (event.own || event.partial)) continue;
  const { changed, transaction } = await reconcile(nft, desired);
  if (!changed) continue;
  const who = event.overrun ? 'somebody' : (event.process?.name ?? 'somebody');
  console.log(`${who} changed it; undone by ${stringify(transaction)}`);
  repairs -= 1;
  if (repairs <= 0) break;
}
