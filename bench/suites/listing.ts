import type { RulesetElement } from '../../src/index.ts';
import { count, keyKinds } from '../addresses.ts';
import { bulkDrivers } from '../drivers/index.ts';
import { nftjs } from '../library.ts';
import { median, repeat } from '../measure.ts';
import { ruleset } from '../rules.ts';
import { type Case, type Suite, sizes } from '../suite.ts';
import { TABLE } from '../work.ts';

function list(name: string, size: number, elements: () => readonly RulesetElement[]): Case {
  return {
    name,
    size,
    drivers: bulkDrivers,
    async run(session) {
      const nft = nftjs.connect();
      await nft.commit(elements().map((add) => ({ add }) as never));
      nft.close();
      const seconds = await repeat({ warm: 1, measured: 3 }, () => session.list());
      return [{ metric: `${name}, each`, unit: 'ns', value: (median(seconds) / size) * 1e9 }];
    },
  };
}

function elements(size: number): RulesetElement[] {
  const { type, key } = keyKinds['ifname . ether_addr . ipv6_addr'];
  const set = { ...TABLE, name: 's', type, size, elem: count(size, key) };
  return [{ table: { family: TABLE.family, name: TABLE.table } }, { set } as unknown as RulesetElement];
}

/** A million elements take the kernel minutes: it goes through all that it told before for every part of its answer. */
function columns(size: number): Case {
  return {
    name: 'elements, packed',
    size,
    drivers: ['limit', 'nftjs'],
    async run(session) {
      const nft = nftjs.connect();
      await nft.commit(elements(size).map((add) => ({ add }) as never));
      nft.close();
      const rounds = size > 100_000 ? { warm: 0, measured: 1 } : { warm: 1, measured: 3 };
      const seconds = await repeat(rounds, () => session.columns?.());
      return [{ metric: 'elements, packed, each', unit: 'ns', value: (median(seconds) / size) * 1e9 }];
    },
  };
}

export const listing: Suite = {
  about: 'the whole ruleset, read into what the driver makes of it (json: parsed); the limit throws it away',
  cases: (scale) => [
    ...sizes(scale, [1000], [10_000], []).map((size) => list('rules', size, () => ruleset(size))),
    ...sizes(scale, [1000], [100_000], []).map((size) => list('elements', size, () => elements(size))),
    ...sizes(scale, [1000], [100_000], [1_000_000]).map(columns),
  ],
};
