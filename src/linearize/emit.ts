import {
  type Data,
  type Instruction,
  type Register,
  registerAt,
  type SetDeclaration,
  SLOTS,
  slotsFor,
  type Typed,
  VERDICT,
} from '../bytecode/index.ts';
import { toBytes } from '../datatype/byteorder.ts';
import { findHeader } from '../protocol/index.ts';
import { CompileError, type Path } from './error.ts';
import { type Binop, bytesFor, type Expr, maxOf, type Payload } from './expr.ts';

/** A value of at most this many bits takes a whole 16-byte register; only concatenations are packed. */
const REGISTER_BITS = 128;

/** A run of 4-byte register slots, and the register that it starts with. */
export interface Slot {
  readonly slot: number;
  readonly register: Register;
}

/**
 * Turns evaluated expressions into instructions. Registers are a stack: what a statement allocates is
 * free again when {@link scoped} returns.
 */
export class Emitter {
  readonly instructions: Instruction[] = [];
  readonly #path: Path | undefined;
  #low = 0;

  /** @param path - where the rule is in the caller's data */
  constructor(path: Path | undefined) {
    this.#path = path;
  }

  /** Runs `emit` and frees the registers that it took. */
  scoped<T>(emit: () => T): T {
    const low = this.#low;
    const result = emit();
    this.#low = low;
    return result;
  }

  push(instruction: Instruction): void {
    this.instructions.push(instruction);
  }

  /** Registers for the value of `expr`. */
  allocate(expr: Typed & { readonly kind?: string }): Slot {
    const slot = this.#low;
    this.#low += slotsFor(expr.kind === 'concat' ? expr.bits : Math.max(expr.bits, REGISTER_BITS));
    if (this.#low > SLOTS)
      throw new CompileError(this.#path, 'the rule needs more than the 64 bytes of registers');
    return { slot, register: registerAt(slot) };
  }

  /** Allocates registers, puts the value of `expr` there and says where. */
  load(expr: Expr): Register {
    const slot = this.allocate(expr);
    this.into(expr, slot.slot);
    return slot.register;
  }

  /** The verdict register takes a verdict or what a verdict map gives. */
  verdict(expr: Expr): void {
    if (expr.kind === 'verdict') this.push({ name: 'immediate', dreg: VERDICT, data: expr.verdict });
    else if (expr.kind === 'map') this.#lookup(expr.key, expr.set, { dreg: VERDICT });
    else throw new Error(`no verdict comes from ${expr.kind}`);
  }

  /** Puts the value of `expr` into the register at `slot`. */
  into(expr: Expr, slot: number): void {
    const dreg = registerAt(slot);
    switch (expr.kind) {
      case 'value':
        this.push({ name: 'immediate', dreg, data: valueBytes(expr) });
        return;
      case 'payload':
        this.#payload(expr, dreg);
        return;
      case 'exthdr':
        this.push({
          name: 'exthdr',
          dreg,
          type: expr.number,
          offset: Math.floor(expr.offset / 8),
          len: bytesFor(expr.bits),
          flags: expr.present ? 1 : 0,
          op: expr.op,
        });
        return;
      case 'load':
        this.#inside(expr.tunnel, expr.load(dreg));
        return;
      case 'hash':
        this.scoped(() => {
          const sreg = this.load(expr.arg);
          this.push({
            name: 'hash',
            sreg,
            dreg,
            len: bytesFor(expr.arg.bits),
            modulus: expr.modulus,
            ...(expr.seed === undefined ? {} : { seed: expr.seed }),
            offset: expr.offset,
            type: 'jenkins',
          });
        });
        return;
      case 'binop':
        if (expr.op === 'lshift' || expr.op === 'rshift') this.#shift(expr, slot);
        else this.#bitwise(expr, slot);
        return;
      case 'byteorder': {
        this.into(expr.arg, slot);
        const op = expr.byteorder === 'network' ? 'hton' : 'ntoh';
        const len = bytesFor(expr.bits);
        const size = len % 8 === 0 ? 8 : len % 4 === 0 ? 4 : 2;
        this.push({ name: 'byteorder', sreg: dreg, dreg, op, len, size });
        return;
      }
      case 'concat': {
        let at = slot;
        for (const part of expr.parts) {
          this.into(part, at);
          at += slotsFor(part.bits);
        }
        return;
      }
      case 'map':
        this.#lookup(expr.key, expr.set, { dreg, at: slot });
        return;
      default:
        throw new Error(`no register takes a ${expr.kind}`);
    }
  }

  /** Is the value of `key` in `set`? Breaks where it is not, or where it is when `inverted`. */
  lookup(key: Expr, set: SetDeclaration, inverted: boolean): void {
    this.#lookup(key, set, inverted ? { flags: 1 } : {});
  }

  #lookup(key: Expr, set: SetDeclaration, how: { dreg?: Register; at?: number; flags?: number }): void {
    const { at, ...attributes } = how;
    this.scoped(() => {
      let sreg: Register;
      if (at === undefined) sreg = this.load(key);
      else {
        this.into(key, at);
        sreg = registerAt(at);
      }
      this.push({ name: 'lookup', set: set.name, sreg, ...attributes, setId: set.id });
    });
  }

  #payload(expr: Payload, dreg: Register): void {
    this.#inside(expr.tunnel, {
      name: 'payload',
      dreg,
      base: expr.base,
      offset: Math.floor(expr.offset / 8),
      len: bytesFor(expr.bits),
    });
  }

  /** A load that looks into a tunnelled packet is wrapped in `inner`. */
  #inside(tunnel: string | undefined, instruction: Instruction): void {
    const layout = tunnel === undefined ? undefined : findHeader(tunnel).tunnel;
    if (layout === undefined) this.push(instruction);
    else
      this.push({
        name: 'inner',
        num: 0,
        type: layout.type,
        flags: layout.flags,
        hdrsize: layout.headerSize,
        expression: instruction,
      });
  }

  /** A chain of and, or, xor with constants is one instruction: `(value & mask) ^ xor`. */
  #bitwise(expr: Binop, slot: number): void {
    const chain: Binop[] = [];
    let source: Expr = expr;
    while (source.kind === 'binop' && (source.op === 'and' || source.op === 'or' || source.op === 'xor')) {
      chain.push(source);
      source = source.left;
    }
    this.into(source, slot);
    const width = BigInt(bytesFor(expr.bits) * 8);
    let mask = maxOf(expr.bits);
    let xor = 0n;
    for (const { op, right } of chain.reverse()) {
      if (right.kind !== 'value') throw new Error('the right side of a bitwise operation is a constant');
      const value = right.value;
      if (op === 'and') {
        mask &= value;
        xor &= value;
      } else if (op === 'or') {
        mask &= ~value;
        xor |= value;
      } else {
        xor ^= value;
      }
    }
    const len = Number(width) / 8;
    const register = registerAt(slot);
    this.push({
      name: 'bitwise',
      sreg: register,
      dreg: register,
      len,
      mask: toBytes(BigInt.asUintN(Number(width), mask), len, expr.byteorder),
      xor: toBytes(xor, len, expr.byteorder),
      op: 'bool',
    });
  }

  #shift(expr: Binop, slot: number): void {
    this.into(expr.left, slot);
    if (expr.right.kind !== 'value') throw new Error('the right side of a shift is a constant');
    const register = registerAt(slot);
    this.push({
      name: 'bitwise',
      sreg: register,
      dreg: register,
      len: bytesFor(expr.bits),
      op: expr.op === 'lshift' ? 'lshift' : 'rshift',
      data: toBytes(expr.right.value, 4, 'host'),
    });
  }
}

/** A constant as the bytes that a register holds. */
export function valueBytes(value: Typed & { readonly value: bigint }): Uint8Array {
  return toBytes(value.value, bytesFor(value.bits), value.byteorder);
}

/** Constants side by side, each padded to 32 bits, as the registers of a concatenation hold them. */
export function joinBytes(values: readonly (Typed & { readonly value: bigint })[]): Uint8Array {
  const joined = new Uint8Array(values.reduce((sum, v) => sum + slotsFor(v.bits) * 4, 0));
  let at = 0;
  for (const value of values) {
    joined.set(valueBytes(value), at);
    at += slotsFor(value.bits) * 4;
  }
  return joined;
}

/** Constant bytes or a verdict, for a map's data or an immediate. */
export function constantData(expr: Expr): Data {
  if (expr.kind === 'verdict') return expr.verdict;
  if (expr.kind === 'value') return valueBytes(expr);
  if (expr.kind === 'concat') return joinBytes(expr.parts as never);
  throw new Error(`${expr.kind} is not constant`);
}
