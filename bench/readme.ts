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

/** Puts figures in the place of those that bench/README.md has. */
export function updateReadme(figures: readonly Figure[]): void {
  const text = readFileSync(README, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin)
    throw new Error(`bench/README.md has no place for figures: ${BEGIN} … ${END}`);
  const measured = `Measured on ${machine()}, in one run. Medians; in brackets how many times the limit.`;
  writeFileSync(
    README,
    `${text.slice(0, begin + BEGIN.length)}\n${measured}\n\n${tables(figures)}\n${text.slice(end)}`,
  );
}
