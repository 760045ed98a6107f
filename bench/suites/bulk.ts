import type { RulesetElement } from '../../src/index.ts';
import { count, type KeyKind, keyKinds } from '../addresses.ts';
import { bulkDrivers } from '../drivers/index.ts';
import { median, type Rounds, repeat } from '../measure.ts';
import { packedSet, rowsOf } from '../rows.ts';
import { type Case, type Scale, type Suite, sizes } from '../suite.ts';
import { expectElements, flushRuleset } from '../verify.ts';
import { declaration, TABLE } from '../work.ts';

/** Small sets are loaded until the machine code for it is there and warm, as in a daemon that has run for a while. */
function roundsOf(size: number, scale: Scale): Rounds {
  if (size > 100_000) return { warm: 0, measured: 1 };
  if (size > 10_000) return { warm: 2, measured: 3 };
  return scale === 'quick' ? { warm: 5, measured: 5 } : { warm: 20, measured: 21 };
}

function load(name: string, kind: KeyKind, size: number, scale: Scale, sized = true): Case {
  const { type, key } = kind;
  return {
    name: `${name}${sized ? '' : ', no size'}`,
    size,
    // ipset has no such concatenations, and google/nftables declares no sizes.
    drivers: [
      ...bulkDrivers,
      'nftjs packed',
      'google/nftables',
      ...(name === 'ipv4_addr' ? (['ipset'] as const) : []),
    ],
    async run(session, driver) {
      const isPacked = driver === 'limit' || driver === 'nftjs packed';
      const rows = isPacked ? rowsOf(kind, size) : undefined;
      const packed = rows && (() => packedSet(kind, rows, sized ? size : undefined));
      // As who has read them from somewhere: V8 joins what was put together only when it is looked at.
      const elem = isPacked ? [] : JSON.parse(JSON.stringify(count(size, key)));
      const elements = [
        { table: { family: TABLE.family, name: TABLE.table } },
        { set: { ...TABLE, name: 's', type, ...(sized ? { size } : {}), elem } },
      ] as RulesetElement[];
      const load = session.prepare({ ...declaration(() => elements), ...(packed && { packed }) });
      const rounds = roundsOf(size, scale);
      const clear = () => {
        flushRuleset();
        session.clear?.();
      };
      const seconds = await repeat(rounds, load, clear);
      expectElements('s', size, session);
      return [{ metric: 'an element', unit: 'ns', value: (median(seconds) / size) * 1e9 }];
    },
  };
}

export const bulk: Suite = {
  about: 'a set and all its elements, in one transaction',
  cases: (scale) =>
    sizes(scale, [10_000], [1000, 100_000], [1_000_000]).flatMap((size) =>
      Object.entries(keyKinds).flatMap(([name, kind]) => [
        load(name, kind, size, scale),
        ...(size === 100_000 ? [load(name, kind, size, scale, false)] : []),
      ]),
    ),
};
