import type { RulesetElement } from '../../src/index.ts';
import { count, keyKinds } from '../addresses.ts';
import { repeat } from '../measure.ts';
import { packedSet, rowsOf } from '../rows.ts';
import type { Suite } from '../suite.ts';
import { expectElements } from '../verify.ts';
import { declaration, TABLE } from '../work.ts';

const MB = 1 << 20;

/** The largest resident memory so far. */
const peak = () => (process.resourceUsage().maxRSS * 1024) / MB;

export const memory: Suite = {
  about: 'resident memory of this process while a set is loaded, beyond the strings of its elements',
  cases: (scale) =>
    (scale === 'quick' ? [100_000] : [1_000_000]).map((size) => ({
      name: 'ipv4_addr',
      size,
      drivers: ['limit', 'nftjs', 'nftjs packed', 'libnftables', 'libnftables json'],
      async run(session, driver) {
        const { type, key } = keyKinds.ipv4_addr;
        const isPacked = driver === 'limit' || driver === 'nftjs packed';
        const rows = isPacked ? rowsOf(keyKinds.ipv4_addr, size) : undefined;
        const packed = rows && (() => packedSet(keyKinds.ipv4_addr, rows, size));
        const elem = isPacked ? [] : count(size, key);
        const elements = [
          { table: { family: TABLE.family, name: TABLE.table } },
          { set: { ...TABLE, name: 's', type, size, elem } },
        ] as RulesetElement[];
        const load = session.prepare({ ...declaration(() => elements), ...(packed && { packed }) });
        const before = peak();
        const [seconds = 0] = await repeat({ warm: 0, measured: 1 }, load);
        const after = peak();
        expectElements('s', size);
        return [
          { metric: 'growth', unit: 'MB', value: after - before },
          { metric: 'peak', unit: 'MB', value: after },
          { metric: 'an element', unit: 'ns', value: (seconds / size) * 1e9 },
        ];
      },
    })),
};
