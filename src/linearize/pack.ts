import {
  joinedBits,
  type MapData,
  PACKED_KEY,
  type PackedElements,
  packedStride,
  SET_FLAGS,
  slotsFor,
  type Typed,
} from '../bytecode/index.ts';
import { DatatypeError, type Literal, toBytes } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import { literalBits } from './constant.ts';
import { bytesFor } from './expr.ts';

/** What of a set decides whether its elements can be packed. */
export interface PackedLayout {
  readonly key: readonly Typed[];
  readonly data?: MapData | undefined;
  readonly flags: number;
}

/** Writes one part of a key; false where it is anything but a plain literal. */
type Packer = (node: unknown, into: Uint8Array, at: number) => boolean;

/**
 * Elements that are nothing but plain literals, straight into rows: large sets are made of them. Undefined
 * where any of them is something else, or wrong: then `evaluateElements` is the one to read them, and to say
 * what is wrong.
 */
export function packElements(
  nodes: readonly Expression[],
  { key, data, flags }: PackedLayout,
): PackedElements | undefined {
  if (flags & SET_FLAGS.interval || (data !== undefined && (data.kind !== 'value' || data.interval)))
    return undefined;
  const values = data?.parts;
  const keyBytes = bytesFor(joinedBits(key));
  const dataBytes = values === undefined ? 0 : bytesFor(joinedBits(values));
  const packKey = packerOf(key);
  const packData = values && packerOf(values);
  const stride = packedStride(keyBytes, dataBytes);
  const rows = new Uint8Array(stride * nodes.length);
  let at = PACKED_KEY;
  for (const node of nodes) {
    if (packData === undefined) {
      if (!packKey(node, rows, at)) return undefined;
    } else {
      if (!Array.isArray(node) || node.length !== 2) return undefined;
      if (!packKey(node[0], rows, at) || !packData(node[1], rows, at + keyBytes)) return undefined;
    }
    at += stride;
  }
  return { length: nodes.length, key: keyBytes, data: dataBytes, rows };
}

/** For a value of one part, or `{ concat: […] }` of several, each padded to 32 bits. */
function packerOf(parts: readonly Typed[]): Packer {
  const packers = parts.map(packerOfPart);
  const [only] = packers;
  if (only !== undefined && packers.length === 1) return only;
  const offsets: number[] = [];
  let end = 0;
  for (const { bits } of parts) {
    offsets.push(end);
    end += slotsFor(bits) * 4;
  }
  return (node, into, at) => {
    const fields = (node as { readonly concat?: unknown } | null)?.concat;
    if (
      !Array.isArray(fields) ||
      fields.length !== packers.length ||
      Object.keys(node as object).length !== 1
    )
      return false;
    for (let i = 0; i < packers.length; i++) {
      if (!(packers[i] as Packer)(fields[i], into, at + (offsets[i] as number))) return false;
    }
    return true;
  };
}

function packerOfPart(typed: Typed): Packer {
  const { type, bits, byteorder } = typed;
  const parsed = parsedPacker(typed);
  if (type.pack === undefined || type.bits !== bits || type.byteorder !== byteorder) return parsed;
  const plain = type.pack.bind(type);
  return (node, into, at) => isLiteral(node) && (plain(node, into, at) || parsed(node, into, at));
}

/** By way of the type's own reading. Names stay out: with a star or an at sign in them they are more than that. */
function parsedPacker(typed: Typed): Packer {
  const { type, bits, byteorder } = typed;
  if (type.base === 'string' || type.base === 'verdict') return () => false;
  return (node, into, at) => {
    if (!isLiteral(node)) return false;
    try {
      into.set(toBytes(type.parse(node, literalBits(typed)), bytesFor(bits), byteorder), at);
      return true;
    } catch (error) {
      if (error instanceof DatatypeError || error instanceof RangeError) return false;
      throw error;
    }
  };
}

function isLiteral(node: unknown): node is Literal {
  return (
    typeof node === 'string' ||
    typeof node === 'number' ||
    typeof node === 'bigint' ||
    typeof node === 'boolean'
  );
}
