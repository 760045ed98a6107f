import { type Instruction, type InstructionNamed, joinedBits, VERDICT } from '../bytecode/index.ts';
import { hostIsLittleEndian } from '../datatype/index.ts';
import { type HeaderTunnel, headers } from '../protocol/index.ts';
import type { Registers } from './registers.ts';
import { knownSet, type Reading } from './step.ts';
import { Inexpressible, type LoadInstruction, type Term, type Tunnel } from './term.ts';

const REGISTER_BYTES = 16;

const LOADS: ReadonlySet<string> = new Set([
  'meta',
  'ct',
  'rt',
  'fib',
  'socket',
  'osf',
  'numgen',
  'xfrm',
  'tunnel',
]);

/** Puts what a load loads into its register; false where the instruction is none. */
export function load(instruction: Instruction, at: number, reading: Reading): boolean {
  const { registers } = reading;
  switch (instruction.name) {
    case 'immediate':
      if (instruction.dreg === VERDICT || !(instruction.data instanceof Uint8Array)) return false;
      registers.write(
        instruction.dreg,
        { kind: 'constant', bytes: instruction.data, from: [at] },
        instruction.data.length,
      );
      return true;
    case 'payload':
    case 'exthdr':
    case 'inner':
      return loadPacket(instruction, at, registers);
    case 'bitwise': {
      const term = bitwise(instruction, at, registers);
      registers.write(instruction.dreg, term, instruction.len);
      return true;
    }
    case 'byteorder': {
      const arg = registers.readLength(instruction.sreg, instruction.len);
      const to = instruction.op === 'hton' ? 'network' : 'host';
      registers.write(instruction.dreg, { kind: 'swap', arg, to, from: [...arg.from, at] }, instruction.len);
      return true;
    }
    case 'hash': {
      if (instruction.type === 'sym') return loadOther(instruction, at, registers);
      const arg = registers.readLength(instruction.sreg ?? VERDICT, instruction.len ?? 0);
      registers.write(instruction.dreg, { kind: 'hash', instruction, arg, from: [...arg.from, at] }, 4);
      return true;
    }
    case 'lookup': {
      if (instruction.dreg === undefined || instruction.dreg === VERDICT) return false;
      const set = knownSet(instruction.set, reading);
      if (instruction.flags) throw new Inexpressible('flags');
      const key = registers.readParts(instruction.sreg, set.key);
      const bits =
        set.data?.kind === 'value' ? joinedBits(set.data.parts) * (set.data.interval ? 2 : 1) : 128;
      registers.write(instruction.dreg, { kind: 'map', key, set, from: [...key.from, at] }, bits / 8);
      return true;
    }
    default:
      if (!LOADS.has(instruction.name) || (instruction as { dreg?: number }).dreg === undefined) return false;
      return loadOther(instruction as LoadInstruction, at, registers);
  }
}

function loadOther(instruction: LoadInstruction, at: number, registers: Registers): boolean {
  registers.write(instruction.dreg as number, { kind: 'load', instruction, from: [at] }, REGISTER_BYTES);
  return true;
}

function loadPacket(
  instruction: InstructionNamed<'payload' | 'exthdr' | 'inner'>,
  at: number,
  registers: Registers,
  tunnel?: Tunnel,
): boolean {
  if (instruction.name === 'inner') {
    const inside = instruction.expression as Instruction;
    const within = tunnelOf(instruction);
    if (inside.name === 'payload') return loadPacket(inside, at, registers, within);
    if (inside.name !== 'meta' || inside.dreg === undefined)
      throw new Inexpressible('a load of another kind');
    registers.write(
      inside.dreg,
      { kind: 'load', instruction: inside, tunnel: within, from: [at] },
      REGISTER_BYTES,
    );
    return true;
  }
  if (instruction.dreg === undefined) return false;
  if (instruction.name === 'exthdr') {
    registers.write(instruction.dreg, { kind: 'exthdr', instruction, from: [at] }, instruction.len ?? 1);
    return true;
  }
  const { base, offset, len } = instruction;
  const term: Term = { kind: 'payload', base, offset: offset * 8, bits: len * 8, tunnel, from: [at] };
  registers.write(instruction.dreg, term, len);
  return true;
}

function tunnelOf({ type, hdrsize, flags }: InstructionNamed<'inner'>): Tunnel {
  const found = Object.values(headers).find(
    (header) => (header as { tunnel?: HeaderTunnel }).tunnel?.type === type,
  ) as { name: string; tunnel?: HeaderTunnel } | undefined;
  if (found?.tunnel === undefined || found.tunnel.headerSize !== hdrsize || found.tunnel.flags !== flags) {
    throw new Inexpressible('the tunnel is not known');
  }
  return { ...found.tunnel, name: found.name };
}

function bitwise(instruction: InstructionNamed<'bitwise'>, at: number, registers: Registers): Term {
  const { sreg, len, op = 'bool', mask, xor, data } = instruction;
  const arg = registers.readLength(sreg, len);
  const from = [...arg.from, at];
  if (instruction.sreg2 !== undefined) throw new Inexpressible('an operation on two registers');
  if (op === 'bool' && mask?.length === len && xor?.length === len)
    return { kind: 'bitwise', arg, mask, xor, from };
  if ((op === 'lshift' || op === 'rshift') && data?.length === 4) {
    const by = new DataView(data.buffer, data.byteOffset).getUint32(0, hostIsLittleEndian);
    return { kind: 'shift', op, arg, by, length: len, from };
  }
  throw new Inexpressible(`the operation ${op}`);
}
