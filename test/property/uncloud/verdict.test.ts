import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { connect } from '../../../src/index.ts';
import { factsOf, parseHost, parsePolicy, render } from '../../../src/uncloud/index.ts';
import { Rig, unpadded } from '../../support/frames/rig.ts';
import {
  byFilter,
  byGroups,
  fromVm,
  isGroup,
  macsOf,
  type NicRecord,
  portModel,
  toVm,
  type Verdict,
} from '../../support/reference/index.ts';
import { requires } from '../../support/requirements.ts';
import { seed } from '../../support/seed.ts';
import { FrameMaker } from './frame.ts';
import { Random } from './random.ts';
import { bridgeMacs, plan, type Scene, scene } from './scene.ts';

const RUNS = Number(process.env.NFTJS_RUNS ?? 8);
const FRAMES = 480;
/** As many as the rig takes at once. */
const BATCH = 48;

interface Expected {
  readonly decision: 'accept' | 'drop' | 'either';
  readonly reason: string;
  readonly reaches: readonly string[];
  /** May be reached, or not. */
  readonly doubtful: readonly string[];
}

/** Whom a frame must reach when the bridges forget what they learn. */
function expected(
  { host, policy }: Scene,
  nics: ReadonlyMap<string, NicRecord>,
  from: string,
  frame: Buffer,
): Expected {
  const [bridge = '', { ports }] = Object.entries(plan).find(([, { ports }]) => ports.includes(from))!;
  const { destination } = macsOf(frame);
  const others = ports.filter((port) => port !== from);
  const record = host.bridges[bridge];
  const mac = (bridgeMacs as Record<string, string>)[bridge];
  if (destination === mac)
    return { decision: 'drop', reason: 'for the bridge itself', reaches: [], doubtful: [] };
  if (/^01:80:c2:00:00:0/.test(destination))
    return { decision: 'drop', reason: 'reserved group', reaches: [], doubtful: [] };
  if (!record) return { decision: 'accept', reason: 'not managed', reaches: others, doubtful: [] };
  const isUplink = (port: string) => record.uplinks?.includes(port) === true;
  const nic = nics.get(from);
  if (!isUplink(from) && !nic) return { decision: 'drop', reason: 'unlisted', reaches: [], doubtful: [] };
  const filtered = (each: NicRecord, direction: 'in' | 'out') =>
    byFilter(host, each, policy.filters, direction, frame);
  const checked = (each: NicRecord) =>
    each.filter === undefined ? fromVm(portModel(host, each), frame) : filtered(each, 'out');
  const secured = nic ? checked(nic) : undefined;
  const { decision, reason }: Pick<Verdict, 'decision' | 'reason'> = !secured
    ? { decision: 'accept', reason: 'uplink' }
    : secured.decision === 'accept'
      ? stricter(secured, byGroups(nic as NicRecord, policy, 'out', frame))
      : secured;
  const arriving = (port: string): Verdict['decision'] => {
    const other = nics.get(port);
    if (isUplink(port)) return 'accept';
    if (!other || toVm(portModel(host, other), frame).decision === 'drop') return 'drop';
    const incoming = filtered(other, 'in').decision;
    if (incoming === 'drop') return incoming;
    const { decision } = byGroups(other, policy, 'in', frame);
    return decision === 'accept' ? incoming : decision;
  };
  const of = (wanted: Verdict['decision']) =>
    decision === 'drop' ? [] : others.filter((port) => arriving(port) === wanted);
  return { decision, reason, reaches: of('accept'), doubtful: of('either') };
}

/** What two have to say, one after the other; the second's reason, where it has one of its own. */
const stricter = (first: Verdict, second: Verdict): Verdict =>
  second.decision === 'accept' && second.reason === 'no group minds' ? first : second;

interface Tally {
  accept: number;
  drop: number;
  either: number;
  readonly reasons: Map<string, number>;
}

for (const sets of ['anonymous', 'named', 'auto'] as const) {
  suite(`the kernel and the reference model, ${sets} sets`, requires('root', 'ip', 'bridge', 'veth'), () => {
    test('decide the same about random frames under random policies', async () => {
      using rig = await Rig.build(plan);
      rig.forget();
      using nft = connect({ netns: rig.netns });
      const facts = { ...(await factsOf(nft)) };
      const tally: Tally = { accept: 0, drop: 0, either: 0, reasons: new Map() };
      for (let run = 0; run < RUNS; run++) {
        const random = new Random(seed + run);
        const drawn = scene(random, sets);
        const host = parseHost(drawn.host);
        const { policy, problems, blocked } = parsePolicy(drawn.policy, { host });
        for (const { key } of problems) delete drawn.policy.vms[key.slice(key.lastIndexOf('/') + 1)];
        await nft.commit(render({ host, policy, blocked, facts }).ruleset);
        const wrong = compare(rig, drawn, random, tally);
        assert.deepEqual(wrong, [], `NFTJS_SEED=${seed + run}: ${JSON.stringify(drawn)}`);
      }
      assert.ok(tally.accept > RUNS * 50 && tally.drop > RUNS * 50, 'the frames are too much alike');
      assert.ok(tally.either < (tally.accept + tally.drop) / 20, 'too many frames decide nothing');
      if (process.env.NFTJS_TALLY) console.log(tally);
    });
  });
}

/** Sends random frames and tells which of them went elsewhere than the model says. */
function compare(rig: Rig, drawn: Scene, random: Random, tally: Tally): object[] {
  const nics = new Map(
    Object.values(drawn.policy.vms).flatMap(({ nics }) => nics.map((nic) => [nic.ifname, nic] as const)),
  );
  const all = [...nics.values()];
  const ports = Object.values(plan).flatMap(({ ports }) => ports);
  const senders = [...ports, ...nics.keys(), ...nics.keys(), ...nics.keys(), ...nics.keys()];
  const wrong: object[] = [];
  for (let sent = 0; sent < FRAMES; sent += BATCH) {
    const batch = new Map<string, { port: string; frame: Buffer }>();
    while (batch.size < BATCH) {
      const port = random.pick(senders);
      const own = nics.get(port);
      const frame = new FrameMaker(random, { all, ...(own && { own }) }).frame();
      const { destination, source } = macsOf(frame);
      // The bridge drops these by itself, or answers to spanning tree's rules there.
      if (isGroup(source) || source === '00:00:00:00:00:00') continue;
      // Nor does the kernel take a tag without a type behind it.
      if (frame.length < 20 && [0x8100, 0x88a8].includes(frame.readUInt16BE(12))) continue;
      if (!own && /^01:80:c2:00:00:0/.test(destination)) continue;
      batch.set(unpadded(frame), { port, frame });
    }
    const sends = [...batch.values()];
    for (const [index, arrivedAt] of rig.deliverAll(sends).arrivedAt.entries()) {
      const { port, frame } = sends[index]!;
      const { decision, reason, reaches, doubtful } = expected(drawn, nics, port, frame);
      tally[decision]++;
      tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1);
      const isRight =
        arrivedAt.filter((each) => !doubtful.includes(each)).join() === reaches.join() ||
        (decision === 'either' && arrivedAt.length === 0);
      if (!isRight)
        wrong.push({
          port,
          decision,
          reason,
          reaches: reaches.join(),
          arrivedAt: arrivedAt.join(),
          frame: frame.toString('hex'),
        });
    }
  }
  return wrong;
}
