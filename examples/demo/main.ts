/**
 * A hypervisor's bridges with VMs on them, in private network namespaces: puts `examples/policies` in force,
 * sends frames as the VMs and the network would, and says what arrived. Exits with 1 when any of them did not
 * go where it should. `--all` lists every frame instead of a selection.
 */
import { parseArgs } from 'node:util';
import { connect, formatRuleset } from '../../src/index.ts';
import { announcements } from '../../test/support/frames/catalogue/arp.ts';
import { reserved } from '../../test/support/frames/catalogue/bridge.ts';
import { catalogue } from '../../test/support/frames/catalogue/index.ts';
import { alice, bob, host, plan, policy } from '../../test/support/frames/network.ts';
import { Rig } from '../../test/support/frames/rig.ts';
import { mislearnt, type Outcome, run } from '../../test/support/frames/run.ts';
import { applyPolicy } from './apply-policy.ts';
import { selection } from './selection.ts';
import { table } from './table.ts';

const { values: options } = parseArgs({ options: { all: { type: 'boolean', default: false } } });

using rig = await Rig.build(plan);
using nft = connect({ netns: rig.netns });
await applyPolicy(nft, host, policy);
console.log(formatRuleset(await nft.list()));

const outcomes = run(rig, catalogue);
const wrong = outcomes.filter(({ isRight }) => !isRight);
const shown = options.all ? outcomes : selection(outcomes);
console.log(
  table(
    ['frame', 'from', 'arrived at', 'must arrive at', ''],
    shown.concat(wrong.filter((outcome) => !shown.includes(outcome))).map(cells),
  ),
);

const stolen = takeovers();
const lies = mislearnt(rig);
const right = outcomes.length - wrong.length;
console.log(
  `${right} of ${outcomes.length} frames went where they must${options.all ? '' : ' (--all lists them)'}.`,
);
console.log(
  stolen.length + lies.length === 0
    ? 'The bridges learnt no address where it is not.'
    : `The bridges learnt a lie: ${[...stolen, ...lies.map(({ mac, port }) => `${mac} at ${port}`)].join(', ')}`,
);
if (wrong.length + stolen.length + lies.length > 0) process.exitCode = 1;

function cells({ section, row, arrivedAt, isRight }: Outcome): [string, string[]] {
  const verdict = isRight ? 'right' : 'WRONG';
  return [section, [row.name, row.from, arrivedAt.join(', ') || '-', row.reaches.join(', ') || '-', verdict]];
}

/** The frames with which a VM got the bridge to believe that its neighbour is at its own port. */
function takeovers(): string[] {
  return reserved(bob.mac).flatMap(({ name, frame }) => {
    run(rig, [announcements]);
    rig.deliver(alice.port, frame);
    const place = rig.learned().find(({ mac }) => mac === bob.mac)?.port;
    return place === bob.port ? [] : [`${bob.mac} at ${place} after ${name}`];
  });
}
