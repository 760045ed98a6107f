import type { Feature } from '../netlink/index.ts';

/** Instructions that a kernel without a feature does not know, by the family's number where it is of one only. */
const INSTRUCTIONS: Readonly<Partial<Record<Feature, readonly [name: string, family?: number]>>> = {
  'bridge reject': ['reject', 7],
  'bridge ct': ['ct', 7],
  queue: ['queue'],
  flowtable: ['flow_offload'],
};

/** Whether an instruction is part of a feature that is missing. */
export function lacks(without: readonly Feature[], name: string, family: number): boolean {
  return without.some((feature) => {
    const [instruction, only] = INSTRUCTIONS[feature] ?? [];
    return instruction === name && (only === undefined || only === family);
  });
}
