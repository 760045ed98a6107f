import { type Connection, connect } from '../../src/index.ts';
import { TABLE } from '../../src/uncloud/index.ts';

/** What {@link Latency} asks of this process. */
export type WitnessOrder =
  | { readonly do: 'open'; readonly hosts: readonly (readonly [number: number, netns: string])[] }
  | { readonly do: 'close' };

/** What it is told: the marks among the addresses of a commit, or that all hosts are listened to, or that none is. */
export type WitnessAnswer =
  | { readonly host: number; readonly generation: number; readonly marks: readonly string[] }
  | { readonly done: WitnessOrder['do'] };

/** The addresses that stand for a change: no VM has them as its own. */
const MARK = /"(100\.\d+\.\d+\.\d+)"/g;

const say = (answer: WitnessAnswer) => void process.send?.(answer);
let open: Connection[] = [];

async function listen(nft: Connection, host: number): Promise<void> {
  try {
    for await (const event of nft.monitor({ table: TABLE })) {
      if (event.overrun) continue;
      const text = JSON.stringify(event.changes, (_, value) =>
        typeof value === 'bigint' ? String(value) : value,
      );
      const marks = [...new Set([...text.matchAll(MARK)].map(([, mark]) => mark as string))];
      if (marks.length > 0) say({ host, generation: event.generation, marks });
    }
  } catch (error) {
    if (open.includes(nft)) throw error;
  }
}

process.on('message', async (order: WitnessOrder) => {
  if (order.do === 'open') {
    for (const [host, netns] of order.hosts) {
      const nft = connect({ netns });
      open.push(nft);
      void listen(nft, host);
    }
  } else {
    const closing = open;
    open = [];
    await Promise.all(closing.map((nft) => nft[Symbol.asyncDispose]()));
  }
  say({ done: order.do });
});
process.on('disconnect', () => process.exit());
