import type { Typed } from '../bytecode/index.ts';
import {
  DatatypeError,
  isPackable,
  type Literal,
  packLiteral,
  scannedAll,
  toBytes,
} from '../datatype/index.ts';
import { literalBits } from './constant.ts';
import { bytesFor } from './expr.ts';

/** Writes values of one part of a key or a map's value; false where one is anything but a plain literal. */
export interface PartPacker {
  one(node: unknown, into: Uint8Array, at: number): boolean;
  /** The first at `at`, each next one `stride` bytes behind the last. */
  many(nodes: readonly unknown[], into: Uint8Array, at: number, stride: number): boolean;
}

export function partPackerOf(typed: Typed): PartPacker {
  const { type, bits, byteorder } = typed;
  const isOwn = type.bits === bits && type.byteorder === byteorder;
  const parsed = parsedPacker(typed);
  const one: PartPacker['one'] =
    isOwn && isPackable(type)
      ? (node, into, at) => isLiteral(node) && (packLiteral(type, node, into, at) || parsed(node, into, at))
      : (node, into, at) => isLiteral(node) && parsed(node, into, at);
  const scan = isOwn ? type.scan : undefined;
  return {
    one,
    many(nodes, into, at, stride) {
      if (scan !== undefined && areTexts(nodes)) return scannedAll(scan, nodes, into, at, stride);
      let place = at;
      for (const node of nodes) {
        if (!one(node, into, place)) return false;
        place += stride;
      }
      return true;
    },
  };
}

/** By way of the type's own reading. Names stay out: with a star or an at sign in them they are more than that. */
function parsedPacker(typed: Typed): (literal: Literal, into: Uint8Array, at: number) => boolean {
  const { type, bits, byteorder } = typed;
  if (type.base === 'string' || type.base === 'verdict') return () => false;
  return (literal, into, at) => {
    try {
      into.set(toBytes(type.parse(literal, literalBits(typed)), bytesFor(bits), byteorder), at);
      return true;
    } catch (error) {
      if (error instanceof DatatypeError || error instanceof RangeError) return false;
      throw error;
    }
  };
}

function areTexts(nodes: readonly unknown[]): nodes is readonly string[] {
  for (const node of nodes) if (typeof node !== 'string') return false;
  return true;
}

function isLiteral(node: unknown): node is Literal {
  return (
    typeof node === 'string' ||
    typeof node === 'number' ||
    typeof node === 'bigint' ||
    typeof node === 'boolean'
  );
}
