import { createRequire } from 'node:module';
import { join } from 'node:path';
import { nftjs } from '../library.ts';
import { median } from '../measure.ts';
import { arrived, buildBridge, farEnd, GATEWAY, UPLINK } from '../packet/bridge.ts';
import { type DesignName, designs } from '../packet/designs.ts';
import { type BenchVm, FRAME, machines, writeFrame } from '../packet/vms.ts';
import { root } from '../root.ts';
import { type Case, type Suite, sizes } from '../suite.ts';

type Frames = typeof import('../../test/support/frames/native.ts').native;

const ADDON = join(root, 'native/frames/build/Release/frames.node');

/** Frames of a batch: few enough that most batches are not interrupted, and many batches to take the median of. */
const BATCH = 500;
const BATCHES = 101;
const WARM = 20;

/** Frames from every block of the VMs that have a port. */
class Traffic {
  readonly #addon = createRequire(import.meta.url)(ADDON) as Frames;
  readonly #socket = this.#addon.openSocket('/proc/self/ns/net', farEnd(UPLINK), false);
  readonly #frames: Buffer;
  /** Through which interface each of them goes. */
  readonly #interfaces: Int32Array;
  readonly #first: number[] = [];

  constructor(real: readonly BenchVm[], length: number, indices: ReadonlyMap<string, number>) {
    const total = real.reduce((sum, { blocks }) => sum + blocks.length, 0);
    this.#frames = Buffer.alloc(total * FRAME);
    this.#interfaces = new Int32Array(total);
    let at = 0;
    for (const vm of real) {
      this.#first.push(at);
      for (const k of vm.blocks.keys()) {
        writeFrame(this.#frames, at * FRAME, GATEWAY, vm.number, k, length);
        this.#interfaces[at++] = indices.get(farEnd(vm.ifname)) as number;
      }
    }
  }

  /** The frames of one VM, one after the other. */
  streamOf(vm: number): Uint32Array {
    const first = this.#first[vm] as number;
    const size = (this.#first[vm + 1] ?? this.#interfaces.length) - first;
    return Uint32Array.from({ length: BATCH }, (_, i) => first + (i % size));
  }

  /** Frames of all VMs, drawn with a generator that always draws the same. */
  random(seed: number): Uint32Array {
    let state = seed;
    return Uint32Array.from({ length: BATCH }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * this.#interfaces.length);
    });
  }

  /** Sends; every frame must come through. Nanoseconds a frame. */
  send(order: Uint32Array): number {
    const before = arrived();
    const took = this.#addon.drive(this.#socket, this.#interfaces, this.#frames, FRAME, order);
    const through = arrived() - before;
    if (through !== order.length) throw new Error(`${through} of ${order.length} frames came through`);
    return took / order.length;
  }

  /** The first VM sends what belongs to the second. */
  mustNotForge(): void {
    const before = arrived();
    const second = this.#first[1] as number;
    const first = Int32Array.of(this.#interfaces[0] as number);
    const frame = this.#frames.subarray(second * FRAME, (second + 1) * FRAME);
    this.#addon.drive(this.#socket, first, frame, FRAME, Uint32Array.of(0));
    if (arrived() !== before) throw new Error('a forged frame came through');
  }
}

function series(orderOf: (batch: number) => Uint32Array, traffic: Traffic): number {
  const each: number[] = [];
  for (let batch = 0; batch < WARM + BATCHES; batch++) {
    const took = traffic.send(orderOf(batch));
    if (batch >= WARM) each.push(took);
  }
  return median(each);
}

function protect(size: number, length: number): Case {
  const names = Object.keys(designs) as DesignName[];
  return {
    name: length === 128 ? 'own addresses' : 'delegated prefixes',
    size,
    drivers: names.filter((name) => size <= designs[name].most),
    async run(_session, driver) {
      const { vms, real } = machines(size, length);
      buildBridge(real.map(({ ifname }) => ifname));
      using nft = nftjs.connect();
      const commands = await designs[driver as DesignName].commands(vms);
      if (commands.length > 0) await nft.commit(commands);
      const indices = new Map((await nft.interfaces()).map(({ name, index }) => [name, index]));
      const traffic = new Traffic(real, length, indices);
      if (driver !== 'unfiltered') traffic.mustNotForge();
      const stream = traffic.streamOf(real.length >> 1);
      return [
        { metric: "one VM's", unit: 'ns', value: series(() => stream, traffic) },
        { metric: 'in random order', unit: 'ns', value: series((batch) => traffic.random(batch), traffic) },
      ];
    },
  };
}

function missing(): string | undefined {
  try {
    createRequire(import.meta.url).resolve(ADDON);
    return undefined;
  } catch {
    return 'native/frames is not built: it is part of the repository, not of the package';
  }
}

export const packet: Suite = {
  missing,
  about: 'a packet from a VM through a bridge, by the number of VMs whose addresses are checked there',
  cases: (scale) =>
    sizes(scale, [10, 1000], [10_000, 100_000], []).flatMap((size) => [
      protect(size, 128),
      ...(scale === 'quick' ? [] : [protect(size, 64)]),
    ]),
};
