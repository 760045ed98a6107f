import type { Instruction, InstructionNamed } from '../bytecode/index.ts';
import type { LimitState, QuotaState, Statement } from '../model/index.ts';
import { Inexpressible } from './term.ts';

const UNITS = { 1: 'second', 60: 'minute', 3600: 'hour', 86400: 'day', 604800: 'week' } as const;

/** A 64-bit quantity as the model has it: a bigint where a number would lose digits. */
export function quantity(value: bigint): number | bigint {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? value : Number(value);
}

const SIZES = [
  ['mbytes', 1024n * 1024n],
  ['kbytes', 1024n],
] as const;

/** A number of bytes in the largest unit that it is a multiple of. */
function sized(value: bigint): {
  readonly amount: number | bigint;
  readonly unit: 'bytes' | 'kbytes' | 'mbytes';
} {
  for (const [unit, size] of SIZES) {
    if (value !== 0n && value % size === 0n) return { amount: quantity(value / size), unit };
  }
  return { amount: quantity(value), unit: 'bytes' };
}

function inversion(flags: number | undefined): { readonly inv?: true } {
  if ((flags ?? 0) > 1) throw new Inexpressible('unknown flags');
  return flags ? { inv: true } : {};
}

/** A statement with a state of its own, of a rule or of an element. */
export function statefulStatement(instruction: Instruction): Statement {
  switch (instruction.name) {
    case 'counter':
      return { counter: { packets: quantity(instruction.packets), bytes: quantity(instruction.bytes) } };
    case 'limit':
      return { limit: limitState(instruction) };
    case 'quota':
      return { quota: quotaState(instruction) };
    case 'last':
      return { last: instruction.set ? { used: quantity(instruction.msecs ?? 0n) } : null };
    case 'connlimit':
      return { 'ct count': { val: instruction.count, ...inversion(instruction.flags) } };
    default:
      throw new Inexpressible(`${instruction.name} has no state`);
  }
}

/** What new elements get: nft lists a counter that starts at zero without its numbers. */
export function templateStatement(instruction: Instruction): Statement {
  const fresh = instruction.name === 'counter' && instruction.packets === 0n && instruction.bytes === 0n;
  return fresh ? { counter: null } : statefulStatement(instruction);
}

function limitState({ rate, unit, burst = 0, type, flags }: InstructionNamed<'limit'>): LimitState {
  const per = UNITS[Number(unit) as keyof typeof UNITS];
  if (per === undefined) throw new Inexpressible(`a rate per ${unit} seconds`);
  if (type !== 'bytes') return { rate: quantity(rate), burst, per, ...inversion(flags) };
  const { amount, unit: rateUnit } = sized(rate);
  const most = sized(BigInt(burst));
  return {
    rate: amount,
    rate_unit: rateUnit,
    burst: most.amount,
    burst_unit: most.unit,
    per,
    ...inversion(flags),
  };
}

/** Flag 2 says that the quota is used up, which the numbers say too. */
function quotaState({ bytes, flags = 0, consumed = 0n }: InstructionNamed<'quota'>): QuotaState {
  const all = sized(bytes);
  const used = sized(consumed);
  return {
    val: all.amount,
    val_unit: all.unit,
    ...(consumed === 0n ? {} : { used: used.amount, used_unit: used.unit }),
    ...inversion(flags & ~2),
  };
}
