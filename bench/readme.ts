import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { machine } from './machine.ts';
import { type Figure, number } from './report.ts';
import { root } from './root.ts';

const README = join(root, 'bench/README.md');
const BEGIN = '<!-- figures -->';
const END = '<!-- /figures -->';

const columns = (figures: readonly Figure[]) => [...new Set(figures.map(({ driver }) => driver))];

/** One table for each suite: a row for each case and metric, a column for each driver. */
function tables(figures: readonly Figure[]): string {
  const suites = [...new Set(figures.map(({ suite }) => suite))];
  return suites
    .map((suite) => {
      const own = figures.filter((figure) => figure.suite === suite);
      const drivers = columns(own);
      const rows = new Map<string, Map<string, Figure>>();
      for (const figure of own) {
        const { size, metric, unit } = figure;
        const key = `${figure.case} | ${size.toLocaleString('en')} | ${metric}, ${unit}`;
        rows.set(key, (rows.get(key) ?? new Map()).set(figure.driver, figure));
      }
      return [
        `| ${suite} | size | | ${drivers.join(' | ')} |`,
        `| --- | ---: | --- |${' ---: |'.repeat(drivers.length)}`,
        ...[...rows].map(([key, row]) => `| ${key} | ${drivers.map((d) => cell(row.get(d))).join(' | ')} |`),
      ].join('\n');
    })
    .join('\n\n');
}

function cell(figure: Figure | undefined): string {
  if (figure === undefined) return '';
  const ratio =
    figure.ratioToLimit === null || figure.ratioToLimit === 1 ? '' : ` (${figure.ratioToLimit.toFixed(2)})`;
  return `${number(figure.median)}${ratio}`;
}

/** A thousand hosts with a thousand VMs each, from what one VM was measured to cost. */
function onPaper(figures: readonly Figure[]): string {
  const find = (suite: string, size: number, metric: string, driver = 'nftjs') =>
    figures.find(
      (figure) =>
        figure.suite === suite &&
        figure.size === size &&
        figure.metric === metric &&
        figure.driver === driver,
    );
  const lines: string[] = [];
  const load = find('uncloud', 1000, 'a VM');
  if (load) {
    const seconds = (load.median * 1000) / 1e6;
    lines.push(
      `A host renders and loads the firewall of its 1,000 VMs in ${seconds.toFixed(2)} s, all hosts at once; one host ` +
        `that had all million would take ${Math.ceil((load.median * 1e6) / 1e6 / 60)} minutes.`,
    );
  }
  const churn = find('churn', 1_000_000, 'added, p50') ?? find('churn', 1000, 'added, p50');
  if (churn) {
    lines.push(
      `An element more in a set of ${churn.size.toLocaleString('en')} costs ${number(churn.median)} µs. A VM is in ` +
        `some ten sets, all of which one transaction changes: ten thousand VMs that come or go in the same minute ` +
        `keep one host busy for less than ${Math.ceil((churn.median * 10 * 10_000) / 1e6)} s.`,
    );
  }
  for (const size of [1000, 100_000]) {
    const ours = find('packet', size, 'in random order');
    const none = find('packet', size, 'in random order', 'unfiltered');
    if (!ours || !none) continue;
    const extra = ours.median - none.median;
    lines.push(
      `With ${size.toLocaleString('en')} VMs on a host, port security adds ${number(extra)} ns to a packet: ` +
        `at a million packets a second ${((extra / 1e9) * 1e6 * 100).toFixed(0)} % of one CPU.`,
    );
  }
  return lines.length === 0
    ? ''
    : `\n### A thousand hosts, a million VMs, on paper\n\n${lines.join('\n\n')}\n`;
}

/** Puts figures in the place of those that bench/README.md has. */
export function updateReadme(figures: readonly Figure[]): void {
  const text = readFileSync(README, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin)
    throw new Error(`bench/README.md has no place for figures: ${BEGIN} … ${END}`);
  const measured = `Measured on ${machine()}, each size of a suite in one run. Medians; in brackets how many times the limit.`;
  writeFileSync(
    README,
    `${text.slice(0, begin + BEGIN.length)}\n${measured}\n\n${tables(figures)}\n${onPaper(figures)}${text.slice(end)}`,
  );
}
