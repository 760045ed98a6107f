import { bulkDrivers } from '../drivers/index.ts';
import { median, repeat } from '../measure.ts';
import { ruleset } from '../rules.ts';
import { type Case, type Suite, sizes } from '../suite.ts';
import { expectRules, flushRuleset } from '../verify.ts';
import { declaration } from '../work.ts';

function load(size: number): Case {
  return {
    name: 'five matches and a verdict',
    size,
    drivers: bulkDrivers,
    async run(session) {
      const elements = ruleset(size);
      const load = session.prepare(declaration(() => elements));
      const seconds = await repeat({ warm: 2, measured: 3 }, load, flushRuleset);
      expectRules(size);
      return [{ metric: 'a rule', unit: 'µs', value: (median(seconds) / size) * 1e6 }];
    },
  };
}

export const rules: Suite = {
  about: 'a chain and all its rules, in one transaction',
  cases: (scale) => sizes(scale, [1000], [10_000], []).map(load),
};
