import type { Instruction } from '../bytecode/index.ts';
import type { Feature } from '../netlink/index.ts';

type IsPart = (instruction: Instruction, family: number) => boolean;

const BRIDGE = 7;

const nameOf = (instruction: Instruction) =>
  instruction.name === 'opaque' ? instruction.expression : instruction.name;

/** What a kernel without a feature does not know, and how it says so. */
const MISSING: Readonly<Record<Feature, readonly [isPart: IsPart, code: string]>> = {
  'meta ibrname': [(one) => one.name === 'meta' && one.key === 'bri_iifname', 'EOPNOTSUPP'],
  'bridge reject': [(one, family) => nameOf(one) === 'reject' && family === BRIDGE, 'ENOENT'],
  'bridge ct': [(one, family) => nameOf(one) === 'ct' && family === BRIDGE, 'ENOENT'],
  queue: [(one) => nameOf(one) === 'queue', 'ENOENT'],
  flowtable: [(one) => nameOf(one) === 'flow_offload', 'ENOENT'],
};

/** The code with which an instruction is refused that belongs to a missing feature; nothing for any other. */
export function refusalOf(
  without: readonly Feature[],
  instruction: Instruction,
  family: number,
): string | undefined {
  const feature = without.find((one) => MISSING[one][0](instruction, family));
  return feature && MISSING[feature][1];
}
