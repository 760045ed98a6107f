import type { Command, RulesetElement } from '../../src/index.ts';
import { count, type KeyKind, keyKinds } from '../addresses.ts';
import { compiler } from '../library.ts';
import { median, repeat } from '../measure.ts';
import { ruleset } from '../rules.ts';
import type { Case, Suite } from '../suite.ts';
import { addTable, TABLE } from '../work.ts';

function compile(name: string, size: number, commands: () => readonly Command[]): Case {
  return {
    name,
    size,
    drivers: ['nftjs'],
    async run() {
      const list = [...commands()];
      const work = () =>
        compiler
          .encodeMessages(compiler.compileParsed(compiler.parseCommands(list), compiler.emptyView, true), {})
          .bytes();
      const seconds = await repeat({ warm: 3, measured: 5 }, work);
      return [{ metric: `${name}, each`, unit: 'ns', value: (median(seconds) / size) * 1e9 }];
    },
  };
}

const added = (elements: readonly RulesetElement[]) => elements.map((add) => ({ add }) as Command);

export const compilation: Suite = {
  quick: false,
  about: 'from the model to the bytes for the kernel, without a kernel',
  cases: (scale) => {
    const size = scale === 'quick' ? 10_000 : 100_000;
    return [
      compile('rules', 10_000, () => added(ruleset(10_000))),
      ...Object.entries<KeyKind>(keyKinds).map(([name, { type, key }]) =>
        compile(name, size, () => [
          addTable,
          {
            add: {
              set: { ...TABLE, name: 's', type, size, elem: JSON.parse(JSON.stringify(count(size, key))) },
            },
          } as unknown as Command,
        ]),
      ),
    ];
  },
};
