import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page } from '../../../bench/html.ts';
import { type Figure, type Sample, summarize } from '../../../bench/report.ts';

const what = { suite: 'churn', case: 'ipv4_addr', metric: 'added, p50', unit: 'µs' };
const sample = (driver: string, value: number, more: Partial<Sample> = {}): Sample => ({
  ...what,
  size: 1000,
  driver,
  value,
  ...more,
});
const of = (figures: readonly Figure[], driver: string) => figures.find((figure) => figure.driver === driver);

test('trials become a median with its spread', () => {
  const [figure] = summarize([sample('nft', 5), sample('nft', 9), sample('nft', 1)]);
  assert.deepEqual(figure, {
    ...what,
    size: 1000,
    driver: 'nft',
    median: 5,
    min: 1,
    max: 9,
    ratioToLimit: null,
  });
});

test('each is compared with the limit of its own kind', () => {
  const figures = summarize([
    sample('limit', 20),
    sample('limit sync', 5),
    sample('nftjs', 30),
    sample('nftjs sync', 10),
  ]);
  assert.equal(of(figures, 'nftjs')?.ratioToLimit, 1.5);
  assert.equal(of(figures, 'nftjs sync')?.ratioToLimit, 2);
  assert.equal(of(figures, 'limit')?.ratioToLimit, 1);
});

test('packets are compared with the way without rules, of the same number of VMs', () => {
  const packet = { suite: 'packet', metric: "one VM's", unit: 'ns' };
  const figures = summarize([
    sample('unfiltered', 500, packet),
    sample('nftjs', 600, packet),
    sample('nftjs', 600, { ...packet, size: 10 }),
  ]);
  assert.deepEqual(
    figures.map(({ ratioToLimit }) => ratioToLimit),
    [1, 1.2, null],
  );
});

test('the page draws costs, ratios and percentiles, and loads nothing', () => {
  const samples = [1000, 100_000].flatMap((size) =>
    ['limit', 'nftjs', '<b>'].flatMap((driver) => [
      sample(driver, size / 100, { size }),
      sample(driver, size / 50, { size, metric: 'added, p99' }),
    ]),
  );
  const html = page(summarize(samples));
  for (const heading of ['Cost', 'Compared with the limit', 'Latency'])
    assert.match(html, new RegExp(`<h2>${heading}`));
  // Two metrics by size, two by ratio, two sizes by percentile; a line for each of three drivers.
  assert.equal(html.match(/<svg /g)?.length, 6);
  assert.equal(html.match(/<polyline /g)?.length, 18);
  assert.doesNotMatch(html, /NaN|Infinity|undefined/);
  assert.doesNotMatch(html, /<b>|https?:|<script|src=|@import|url\(/);
});

test('a page of a single figure says it without a plot', () => {
  const html = page(summarize([sample('nftjs', 3)]));
  assert.doesNotMatch(html, /<svg /);
  assert.match(html, /<td>nftjs<\/td>/);
});
