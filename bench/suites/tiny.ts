import { allDrivers } from '../drivers/index.ts';
import { quantile, repeat } from '../measure.ts';
import type { Suite } from '../suite.ts';
import { addTable, deleteTable, TABLE } from '../work.ts';

export const tiny: Suite = {
  quick: false,
  about: 'the smallest transaction there and back: a table is added and deleted',
  cases: () => [
    {
      name: 'add and delete a table',
      size: 1,
      drivers: [...allDrivers, 'google/nftables', 'pyroute2'],
      async run(session) {
        const table = `${TABLE.family} ${TABLE.table}`;
        const trip = session.prepare({
          setup: [],
          commands: () => [addTable, deleteTable],
          text: () => `add table ${table}; delete table ${table}`,
        });
        const [once = 0] = await repeat({ warm: 0, measured: 1 }, trip);
        const many = once > 0.005 ? 10 : 1000;
        const seconds = await repeat({ warm: many, measured: many }, trip);
        return [
          { metric: 'p50', unit: 'µs', value: quantile(seconds, 0.5) * 1e6 },
          { metric: 'p99', unit: 'µs', value: quantile(seconds, 0.99) * 1e6 },
        ];
      },
    },
  ],
};
