/**
 * Every named counter of the kernel as metrics for Prometheus: once on standard output, or with `--listen PORT`
 * to whoever asks. Counters have 64 bits and stay exact.
 *
 *   node --import tsx examples/counters/main.ts [--listen 9630] [--netns PATH]
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { type Connection, connect } from 'nftjs';

const { netns, listen } = parseArgs({
  options: { netns: { type: 'string' }, listen: { type: 'string' } },
}).values;

const quoted = (text: string) => JSON.stringify(text);

/** All counters in the text format of Prometheus. */
async function metrics(nft: Connection): Promise<string> {
  const { nftables } = await nft.list({ terse: true });
  const counters = nftables.flatMap((item) => ('counter' in item ? [item.counter] : []));
  const lines = (['packets', 'bytes'] as const).flatMap((unit) => [
    `# TYPE nftables_counter_${unit}_total counter`,
    ...counters.map(({ family, table, name, [unit]: value }) => {
      const labels = `family=${quoted(family)},table=${quoted(table)},name=${quoted(name)}`;
      return `nftables_counter_${unit}_total{${labels}} ${value ?? 0}`;
    }),
  ]);
  return `${lines.join('\n')}\n`;
}

const nft = connect(netns === undefined ? {} : { netns });
if (listen === undefined) {
  process.stdout.write(await metrics(nft));
  nft.close();
} else {
  createServer(async (_request, response) => {
    try {
      const text = await metrics(nft);
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text);
    } catch (error) {
      response.writeHead(500).end(`${error}\n`);
    }
  }).listen(Number(listen));
}
