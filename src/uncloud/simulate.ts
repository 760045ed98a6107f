import { setTimeout as sleep } from 'node:timers/promises';
import {
  accept,
  connect,
  drop,
  ether,
  type Family,
  type Feed,
  formatRule,
  meta,
  type RulesetElement,
  type TraceEvent,
  type TraceStep,
} from '../index.ts';
import { factsOf } from './facts.ts';
import type { Host } from './host.ts';
import type { Policy } from './policy.ts';
import { UncloudError } from './problem.ts';
import { type Desired, render } from './render.ts';
import { Laboratory, type LaboratoryBridge } from './simulate-laboratory.ts';

/** What is to be simulated. */
export interface Simulation extends Pick<Desired, 'host' | 'policy' | 'blocked'> {
  /** The port that the frames come in at: a VM's, an uplink, or one that nobody lists. */
  readonly port: string;
  /** Its bridge; needed where neither host nor policy says it and there are several. */
  readonly bridge?: string;
  /** Ethernet frames from the destination MAC on, 14 bytes at least, without the checksum. */
  readonly frames: readonly Uint8Array[];
}

/** A rule, or the end of a base chain, that decided. */
export interface Decision {
  readonly family: Family;
  readonly table: string;
  readonly chain: string;
  /** In nft syntax; absent where the end of the chain decided by its policy. */
  readonly rule?: string;
  readonly handle?: number;
  /** The chain that the frame was in last, where that did not decide, but the end of a base chain. */
  readonly after?: string;
}

/** What becomes of a frame. */
export interface Simulated {
  /** `accept`: it reached somebody. */
  readonly verdict: 'accept' | 'drop';
  /** The ports that it left by, sorted. */
  readonly reaches: readonly string[];
  /** Whether the host itself got it. */
  readonly reachesHost: boolean;
  /**
   * What decided: as the frame came in, or, where all that it could leave by refused it, the first of those.
   * Absent where the bridge dropped it without asking a rule.
   */
  readonly by?: Decision;
  /** Who was refused it, by the port, and what decided so. */
  readonly refused: Readonly<Record<string, Decision>>;
  /** The whole way. */
  readonly steps: readonly TraceStep[];
}

const OURS = 'uncloud-simulate';
const FENCE_TYPE = 0x88b5;
const FENCE = Buffer.concat([Buffer.from('0200fefefe010200fefefe0288b5', 'hex'), Buffer.alloc(46)]);
/** Ports that a bridge of the laboratory gets beside uplinks and those that the frames are for. */
const MOST_PORTS = 64;
/** Milliseconds for what a neighbouring CPU still has of a frame when the one sent behind it is through. */
const LAST = 20;
const DEADLINE = 10_000;

/**
 * Tells what the rules of a policy do with frames: a private network namespace gets the bridges of the host
 * and the rules, the frames go in, and the kernel's own trace says what became of them. This host's network is
 * not touched. Needs what {@link Laboratory} needs.
 *
 * @throws UncloudError when the port cannot be placed
 * @throws RangeError for a frame that is none
 */
export async function simulate(simulation: Simulation): Promise<Simulated[]> {
  const { port, frames, ...desired } = simulation;
  for (const [index, { length }] of frames.entries()) {
    if (length < 14 || length > 9014)
      throw new RangeError(`frame ${index + 1} has ${length} bytes: 14 to 9014 make a frame`);
  }
  await using laboratory = await Laboratory.build(bridgesOf(simulation), port);
  await using nft = connect({ netns: laboratory.netns });
  const facts = await factsOf(nft);
  await nft.commit(render({ ...desired, facts }).ruleset);
  await nft.commit({ nftables: marks(port).map((add) => ({ add })) });
  using steps = new Steps(nft.trace());
  const results: Simulated[] = [];
  for (const frame of frames) {
    await laboratory.send(frame);
    await laboratory.send(FENCE);
    results.push(outcome(await steps.ofOneFrame()));
  }
  return results;
}

/** The bridge of the port with those who may be reached, as far as they are not too many. */
function bridgesOf({ host, policy, port, bridge, frames }: Simulation): LaboratoryBridge[] {
  const name = bridge ?? bridgeOf(host, policy, port);
  const described = host.bridges[name];
  if (!described) throw new UncloudError('host', '.bridges', `no bridge ${name}`);
  const nics = Object.values(policy.vms).flatMap((vm) => vm.nics.filter((nic) => nic.bridge === name));
  const wanted = new Set(
    frames.map((frame) =>
      Buffer.from(frame)
        .toString('hex', 0, 6)
        .replace(/(..)(?=.)/g, '$1:'),
    ),
  );
  const ports = new Map<string, string | undefined>([
    [port, nics.find(({ ifname }) => ifname === port)?.mac],
  ]);
  for (const uplink of described.uplinks) ports.set(uplink, undefined);
  for (const nic of nics) {
    if (ports.size < MOST_PORTS || wanted.has(nic.mac)) ports.set(nic.ifname, nic.mac);
  }
  return [{ name, ports, ...(described.mac !== undefined && { mac: described.mac }) }];
}

function bridgeOf(host: Host, policy: Policy, port: string): string {
  for (const [name, { uplinks }] of Object.entries(host.bridges)) if (uplinks.includes(port)) return name;
  for (const vm of Object.values(policy.vms)) {
    const nic = vm.nics.find(({ ifname }) => ifname === port);
    if (nic) return nic.bridge;
  }
  const [only, ...more] = Object.keys(host.bridges);
  if (only === undefined || more.length > 0)
    throw new UncloudError('policy', '', `nobody lists ${port}: say which bridge it is on`);
  return only;
}

/** Rules that have the frames traced, end at what is sent behind them, and see what gets through. */
function marks(port: string): RulesetElement[] {
  const netdev = { family: 'netdev', table: OURS } as const;
  const bridge = { family: 'bridge', table: OURS } as const;
  const chain = { type: 'filter', policy: 'accept' } as const;
  return [
    { table: { family: 'netdev', name: OURS } },
    { chain: { ...netdev, ...chain, name: 'in', hook: 'ingress', prio: -1000, dev: [port] } },
    { rule: { ...netdev, chain: 'in', expr: [ether.type.eq(FENCE_TYPE), meta.nftrace.set(1), drop()] } },
    { rule: { ...netdev, chain: 'in', expr: [meta.nftrace.set(1)] } },
    { table: { family: 'bridge', name: OURS } },
    { chain: { ...bridge, ...chain, name: 'out', hook: 'postrouting', prio: 1000 } },
    { rule: { ...bridge, chain: 'out', expr: [accept()] } },
    { chain: { ...bridge, ...chain, name: 'host', hook: 'input', prio: 1000 } },
    { rule: { ...bridge, chain: 'host', expr: [accept()] } },
  ];
}

/** The steps up to the frame that is sent behind, and what still comes right after it. */
class Steps implements Disposable {
  readonly #events: Feed<TraceEvent>;
  #next: Promise<IteratorResult<TraceEvent, void>>;

  constructor(events: Feed<TraceEvent>) {
    this.#events = events;
    this.#next = events.next();
  }

  async ofOneFrame(): Promise<TraceStep[]> {
    const steps: TraceStep[] = [];
    let isBehind = false;
    for (;;) {
      const step = await this.#within(isBehind ? LAST : DEADLINE);
      if (step === undefined) {
        if (isBehind) return steps;
        throw new Error('the kernel traced nothing: was the frame lost?');
      }
      if (step.table === OURS && step.verdict?.code === 'drop') isBehind = true;
      else steps.push(step);
    }
  }

  async #within(milliseconds: number): Promise<TraceStep | undefined> {
    const timer = new AbortController();
    const late = sleep(milliseconds, undefined, { signal: timer.signal }).catch(() => undefined);
    const result = await Promise.race([this.#next, late]);
    timer.abort();
    if (result === undefined) return undefined;
    this.#next = this.#events.next();
    if (result.done || result.value.overrun) throw new Error('the kernel traced faster than was read');
    return result.value;
  }

  [Symbol.dispose](): void {
    this.#next.catch(() => {});
    this.#events[Symbol.dispose]();
  }
}

function outcome(steps: readonly TraceStep[]): Simulated {
  const reaches = new Set<string>();
  const refused: Record<string, Decision> = {};
  let reachesHost = false;
  const inward: { accept?: Decision; drop?: Decision } = {};
  let entered: string[] = [];
  let outPort: string | undefined;
  let isInward = true;
  for (const step of steps) {
    if (step.packet) {
      outPort = step.packet.oif?.name;
      isInward = outPort === undefined;
      entered = [];
    }
    if (step.table === OURS) {
      if (step.chain === 'out' && outPort !== undefined) reaches.add(outPort);
      if (step.chain === 'host') reachesHost = true;
      continue;
    }
    if (step.verdict?.chain !== undefined) entered.push(step.verdict.chain);
    const verdict = step.type === 'policy' ? step.policy : step.verdict?.code;
    if (verdict !== 'accept' && verdict !== 'drop') continue;
    if (isInward) inward[verdict] = decisionOf(step, entered);
    else if (verdict === 'drop' && outPort !== undefined) refused[outPort] = decisionOf(step, entered);
  }
  const verdict = reaches.size > 0 || reachesHost ? 'accept' : 'drop';
  const by = inward[verdict] ?? (verdict === 'drop' ? Object.values(sorted(refused))[0] : undefined);
  return {
    verdict,
    reaches: [...reaches].sort(),
    reachesHost,
    ...(by && { by }),
    refused: sorted(refused),
    steps,
  };
}

function decisionOf({ family, table, chain, rule, handle }: TraceStep, entered: readonly string[]): Decision {
  const last = entered.at(-1);
  return {
    family,
    table,
    chain,
    ...(rule && { rule: formatRule(rule) }),
    ...(handle !== undefined && { handle }),
    ...(last !== undefined && !entered.includes(chain) && { after: last }),
  };
}

/** The copies of a flooded frame come in any order. */
function sorted<T>(byName: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(byName).sort(([a], [b]) => (a < b ? -1 : 1)));
}
