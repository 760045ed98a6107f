import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import fc from 'fast-check';
import { type Connection, connect, type Ruleset } from '../../src/index.ts';
import { FEATURES, type Feature } from '../../src/netlink/features.ts';
import { type FakeConnection, fakeConnection } from '../../src/testing/index.ts';
import { Namespace } from '../support/frames/namespace.ts';
import { requires } from '../support/requirements.ts';
import { play, playStep } from '../unit/testing/play.ts';
import { furniture, randomTransaction } from '../unit/testing/random.ts';
import { scenarios } from '../unit/testing/scenarios/index.ts';
import '../support/seed.ts';

const EMPTY = [{ flush: { ruleset: null } }] as unknown as Ruleset['nftables'];
const MILLISECONDS = 10_000;

suite('the fake kernel does as the kernel does', requires('root', 'netns'), () => {
  let namespace: Namespace;
  let real: Connection;
  let fake: FakeConnection;

  before(async () => {
    namespace = new Namespace();
    real = connect({ netns: namespace.path });
    const without: Feature[] = [];
    for (const feature of FEATURES) if (!(await real.supports(feature))) without.push(feature);
    fake = fakeConnection({ without });
    for (const feature of FEATURES) assert.equal(await fake.supports(feature), !without.includes(feature));
  });

  after(async () => {
    fake?.close();
    await real?.[Symbol.asyncDispose]();
    namespace?.[Symbol.dispose]();
  });

  for (const scenario of scenarios) {
    test(scenario.name, async () => {
      const told = await play(real, scenario);
      assert.deepEqual(await play(fake, scenario), told);
      assert.deepEqual(
        told.map(({ outcome }) => outcome),
        scenario.steps.map(({ outcome }) => outcome),
      );
    });
  }

  test('random transactions', async () => {
    await fc.assert(
      fc
        .asyncProperty(fc.array(randomTransaction, { minLength: 5, maxLength: 20 }), async (transactions) => {
          using told = real.monitor();
          using toldByFake = fake.monitor();
          for (const commands of [furniture, ...transactions]) {
            const played = await playStep(real, told, commands);
            assert.deepEqual(await playStep(fake, toldByFake, commands), played);
          }
        })
        .afterEach(async () => {
          await real.commit(EMPTY);
          await fake.commit(EMPTY);
        }),
      { numRuns: 2000, interruptAfterTimeLimit: MILLISECONDS, markInterruptAsFailure: false },
    );
  });
});
