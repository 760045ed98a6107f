import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command, Connection } from '../../src/index.ts';
import { count, keyKinds } from '../addresses.ts';
import { dist, nftjs } from '../library.ts';
import { median } from '../measure.ts';
import { packedSet, rowsOf } from '../rows.ts';
import type { Case, Measurement, Suite } from '../suite.ts';
import { addTable, TABLE } from '../work.ts';

const ROUNDS = 3;

/** Milliseconds after which the kernel has freed what was flushed: that takes a processor all to itself. */
const SETTLED = 1000;

/** Milliseconds between two looks at the clock. */
const RESOLUTION = 1;

/**
 * The longest wait for a turn while `work` is done, in milliseconds. Node's own histogram takes it, which makes no
 * garbage and lets the processor rest: a loop that asks for one turn after the other would measure what it costs itself.
 */
async function longestWait(work: () => Promise<unknown>): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION });
  delays.enable();
  try {
    await sleep(20 * RESOLUTION);
    delays.reset();
    await work();
    await sleep(2 * RESOLUTION);
    return delays.max / 1e6;
  } finally {
    delays.disable();
  }
}

async function measured(nft: Connection, work: () => Promise<unknown>): Promise<readonly Measurement[]> {
  const waits: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    waits.push(await longestWait(work));
    await nft.commit([{ flush: { ruleset: null } }]);
    await sleep(SETTLED);
  }
  return [{ metric: 'longest turn', unit: 'ms', value: median(waits) }];
}

/** Keeps nf_tables' lock: loads one set after the other, until it is killed. */
const HOLDER = `
import { connect } from ${JSON.stringify(`${dist}index.js`)};
const ref = { family: 'ip', table: 'holder' };
const elem = Array.from({ length: 200_000 }, (_, i) => '10.' + (i >> 16) + '.' + ((i >> 8) & 255) + '.' + (i & 255));
const nft = connect();
for (let first = true; ; first = false) {
  nft.commitSync([
    { add: { table: { family: 'ip', name: 'holder' } } },
    { add: { set: { ...ref, name: 's', type: 'ipv4_addr', size: elem.length, elem } } },
    { delete: { table: { family: 'ip', name: 'holder' } } },
  ]);
  if (first) process.stdout.write('.');
}`;

function loading(size: number): Case[] {
  const kind = keyKinds.ipv4_addr;
  const cases = {
    packed: () => packedSet(kind, rowsOf(kind, size), size),
    strings(): readonly Command[] {
      const elem = count(size, kind.key);
      const set = { add: { set: { ...TABLE, name: 's', type: kind.type, size, elem } } } as Command;
      return [addTable, set];
    },
  };
  return Object.entries(cases).map(([name, commandsOf]) => ({
    name: `loading, ${name}`,
    size,
    drivers: ['nftjs'],
    async run() {
      using nft = nftjs.connect();
      const commands = commandsOf();
      return await measured(nft, () => nft.commit(commands));
    },
  }));
}

const whileHeld: Case = {
  name: 'another process holds the lock',
  size: 1,
  drivers: ['nftjs'],
  async run() {
    const holder = spawn(process.execPath, ['--input-type=module', '--eval', HOLDER], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(holder.stdout, 'data');
      using nft = nftjs.connect();
      return await measured(nft, async () => {
        for (let i = 0; i < 20; i++) await nft.commit([addTable]);
      });
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'close');
    }
  },
};

export const turns: Suite = {
  about: 'the longest wait for a turn of the event loop while a transaction is committed',
  cases: (scale) => [...loading(scale === 'quick' ? 100_000 : 1_000_000), whileHeld],
};
