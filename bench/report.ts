import { median } from './measure.ts';

/** One figure of one case and driver, over all trials. */
export interface Figure {
  readonly suite: string;
  readonly case: string;
  readonly size: number;
  readonly driver: string;
  readonly metric: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How many times the limit's median; null where the limit was not measured. */
  readonly ratioToLimit: number | null;
}

/** What one trial found. */
export interface Sample extends Pick<Figure, 'suite' | 'case' | 'size' | 'driver' | 'metric' | 'unit'> {
  readonly value: number;
}

/** What others are compared with: the kernel's own time, of packets the way without rules. */
const LIMITS: readonly string[] = ['limit', 'unfiltered'];

/** Medians and spreads of samples, in the order in which they came. */
export function summarize(samples: readonly Sample[]): Figure[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = JSON.stringify([sample.suite, sample.case, sample.size, sample.driver, sample.metric]);
    const group = groups.get(key);
    if (group) group.push(sample);
    else groups.set(key, [sample]);
  }
  const figures = [...groups.values()].map((group): Figure => {
    const [{ value: _, ...what }] = group as [Sample];
    const values = group.map(({ value }) => value);
    const spread = { median: median(values), min: Math.min(...values), max: Math.max(...values) };
    return { ...what, ...spread, ratioToLimit: null };
  });
  return figures.map((figure) => {
    // A synchronous way is compared with the synchronous limit, where that was measured.
    const limits = figure.driver.endsWith(' sync') ? ['limit sync', ...LIMITS] : LIMITS;
    const limit = limits
      .map((name) => figures.find((other) => other.driver === name && sameThing(other, figure)))
      .find((other) => other !== undefined);
    return limit === undefined ? figure : { ...figure, ratioToLimit: figure.median / limit.median };
  });
}

function sameThing(a: Figure, b: Figure): boolean {
  return a.suite === b.suite && a.case === b.case && a.size === b.size && a.metric === b.metric;
}

/** A table for people: a block for each case and metric, a line for each driver. */
export function table(figures: readonly Figure[]): string {
  const lines: string[] = [];
  let head = '';
  for (const figure of figures.toSorted(byThing)) {
    const title = `${figure.suite}: ${figure.case}, ${figure.size.toLocaleString('en')}: ${figure.metric}`;
    if (title !== head) lines.push('', title);
    head = title;
    const ratio = figure.ratioToLimit === null ? '' : `${figure.ratioToLimit.toFixed(2)} × limit`;
    const spread = `${number(figure.min)} – ${number(figure.max)}`;
    lines.push(
      `  ${figure.driver.padEnd(23)}${number(figure.median).padStart(11)} ${figure.unit.padEnd(3)}` +
        `${ratio.padStart(16)}    ${spread}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Cases stay in their order; within one, the metrics come one after the other. */
function byThing(a: Figure, b: Figure): number {
  const same = a.suite === b.suite && a.case === b.case && a.size === b.size;
  return same ? a.metric.localeCompare(b.metric) : 0;
}

/** As many digits as people can take in. */
export function number(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });
}
