import type { Instruction } from '../bytecode/index.ts';
import { quoted } from '../datatype/index.ts';
import type { Path } from './error.ts';
import { at, CompileError } from './error.ts';
import type { Scope } from './scope.ts';
import { checkShape, statefulShapes } from './shape.ts';
import { MAX_32, whole } from './whole.ts';

type StatefulKind = 'counter' | 'quota' | 'limit' | 'last' | 'ct count';

const SECONDS = { second: 1, minute: 60, hour: 3600, day: 86400, week: 604800 } as const;
const BYTES = { bytes: 1n, kbytes: 1024n, mbytes: 1024n * 1024n } as const;
const MAX_64 = (1n << 64n) - 1n;

/**
 * A statement with a state of its own, as one instruction: in a rule, in an element, or as what a rule
 * gives the elements it adds.
 */
export function evaluateStateful(kind: StatefulKind, node: unknown, _scope: Scope, path: Path): Instruction {
  if (typeof node === 'string')
    throw new CompileError(path, `a ${kind} of its own belongs here, not a reference`);
  const value = (node ?? {}) as Record<string, unknown>;
  checkShape(value, statefulShapes[kind], path);
  switch (kind) {
    case 'counter':
      return {
        name: 'counter',
        bytes: amount(value.bytes ?? 0, at(path, 'bytes')),
        packets: amount(value.packets ?? 0, at(path, 'packets')),
      };
    case 'quota':
      return {
        name: 'quota',
        bytes: sized(value.val, value.val_unit, at(path, 'val')),
        flags: value.inv ? 1 : 0,
        consumed: sized(value.used ?? 0, value.used_unit, at(path, 'used')),
      };
    case 'limit':
      return limit(value, path);
    case 'last':
      return value.used === undefined
        ? { name: 'last', set: 0, msecs: 0n }
        : { name: 'last', set: 1, msecs: amount(value.used, at(path, 'used')) };
    case 'ct count':
      return {
        name: 'connlimit',
        count: whole(amount(value.val, at(path, 'val')), MAX_32, at(path, 'val')),
        flags: value.inv ? 1 : 0,
      };
  }
}

function limit(value: Record<string, unknown>, path: Path): Instruction {
  const per = (value.per ?? 'second') as keyof typeof SECONDS;
  if (!Object.hasOwn(SECONDS, per))
    throw new CompileError(at(path, 'per'), `expected one of ${Object.keys(SECONDS).join(', ')}`);
  const rateUnit = value.rate_unit ?? 'packets';
  const packets = rateUnit === 'packets';
  const rate = packets ? amount(value.rate, at(path, 'rate')) : sized(value.rate, rateUnit, at(path, 'rate'));
  if (rate === 0n) throw new CompileError(at(path, 'rate'), 'a rate is greater than 0');
  const burst = packets
    ? amount(value.burst || 5, at(path, 'burst'))
    : sized(value.burst ?? 0, value.burst_unit, at(path, 'burst'));
  return {
    name: 'limit',
    rate,
    unit: BigInt(SECONDS[per]),
    burst: whole(burst, MAX_32, at(path, 'burst')),
    type: packets ? 'packets' : 'bytes',
    flags: value.inv ? 1 : 0,
  };
}

/** A whole number of at most 64 bits. */
export function amount(value: unknown, path: Path): bigint {
  const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
  if (!whole || BigInt(value as number) < 0n || BigInt(value as number) > MAX_64) {
    throw new CompileError(path, 'expected a whole number of at most 64 bits');
  }
  return BigInt(value as number | bigint);
}

/** A number of bytes in a unit. */
export function sized(value: unknown, unit: unknown, path: Path): bigint {
  const name = (unit ?? 'bytes') as keyof typeof BYTES;
  if (!Object.hasOwn(BYTES, name))
    throw new CompileError(path, `unit ${quoted(unit)}: expected one of ${Object.keys(BYTES).join(', ')}`);
  return amount(amount(value, path) * BYTES[name], path);
}
