import type { Command } from '../../src/index.ts';
import { count, type KeyKind, keyKinds } from '../addresses.ts';
import { allDrivers, type DriverName } from '../drivers/index.ts';
import { nftjs } from '../library.ts';
import { quantile, repeat } from '../measure.ts';
import { type Case, type Suite, sizes } from '../suite.ts';
import { expectElements } from '../verify.ts';
import { addTable, TABLE, type Work } from '../work.ts';

/** A process, or a library that reads the whole set first, takes milliseconds: fewer rounds do. */
const slow: ReadonlySet<DriverName> = new Set(['nft', 'nft json', 'libnftables', 'libnftables json']);

function oneElement(
  name: string,
  { type, key, text }: KeyKind,
  size: number,
  drivers: readonly DriverName[],
): Case {
  const rounds = drivers.some((driver) => slow.has(driver))
    ? { warm: 2, measured: 10 }
    : { warm: 2000, measured: 1000 };
  return {
    name,
    size,
    drivers,
    async run(session) {
      const set = { add: { set: { ...TABLE, name: 's', type, size: size + 1 } } } as Command;
      const setup = [addTable, set];
      const elem = count(size, key);
      const nft = nftjs.connect();
      await nft.commit([...setup, { add: { element: { ...TABLE, name: 's', elem } } }]);
      nft.close();
      const change = (verb: 'add' | 'delete'): Work => {
        const element = { element: { ...TABLE, name: 's', elem: [key(size)] } };
        const command = (verb === 'add' ? { add: element } : { delete: element }) as Command;
        return {
          setup,
          commands: () => [command],
          text: () => `${verb} element ${TABLE.family} ${TABLE.table} s { ${text(size)} }`,
        };
      };
      const add = session.prepare(change('add'));
      const remove = session.prepare(change('delete'));
      const added: number[] = [];
      const removed: number[] = [];
      for (let round = 0; round < rounds.warm + rounds.measured; round++) {
        const [first] = await repeat({ warm: 0, measured: 1 }, add);
        if (round === 0) expectElements('s', size + 1);
        const [second] = await repeat({ warm: 0, measured: 1 }, remove);
        if (round < rounds.warm) continue;
        added.push((first as number) * 1e6);
        removed.push((second as number) * 1e6);
      }
      expectElements('s', size);
      return [
        { metric: 'added, p50', unit: 'µs', value: quantile(added, 0.5) },
        { metric: 'added, p99', unit: 'µs', value: quantile(added, 0.99) },
        { metric: 'removed, p50', unit: 'µs', value: quantile(removed, 0.5) },
      ];
    },
  };
}

export const churn: Suite = {
  about: 'one element into a sized set that is in force, and out of it again',
  cases: (scale) =>
    sizes(scale, [1000], [100_000], [1_000_000]).flatMap((size) =>
      Object.entries(keyKinds).flatMap(([name, kind]) => [
        oneElement(name, kind, size, [
          ...allDrivers.filter((driver) => !slow.has(driver)),
          'google/nftables',
        ]),
        oneElement(
          name,
          kind,
          size,
          allDrivers.filter((driver) => slow.has(driver)),
        ),
      ]),
    ),
};
