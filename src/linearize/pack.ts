import {
  joinedBits,
  type MapData,
  PackedElements,
  packedOffsets,
  SET_FLAGS,
  slotsFor,
  type Typed,
} from '../bytecode/index.ts';
import { DatatypeError, hostIsLittleEndian, type Literal, toBytes } from '../datatype/index.ts';
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
 * Elements that are nothing but plain literals, perhaps with timeouts: large sets are made of them. Undefined where the
 * set takes other things. Where any element is something else, or wrong, writing the rows says so: then
 * `evaluateElements` is the one to read them, and to say what is wrong.
 */
export function packElements(
  nodes: readonly Expression[],
  { key, data, flags }: PackedLayout,
): PackedElements | undefined {
  if (flags & SET_FLAGS.interval || (data !== undefined && (data.kind !== 'value' || data.interval)))
    return undefined;
  const values = data?.parts;
  const shape = {
    key: bytesFor(joinedBits(key)),
    data: values === undefined ? 0 : bytesFor(joinedBits(values)),
    timeouts: timedOf(values === undefined ? nodes[0] : keyOf(nodes[0])) !== undefined,
  };
  const offsets = packedOffsets(shape);
  const packKey = shape.timeouts ? timed(packerOf(key), offsets.timeout) : packerOf(key);
  const packData = values && packerOf(values);
  return new PackedElements(shape, nodes.length, (into, from, to) => {
    let at = 0;
    for (let i = from; i < to; i++, at += offsets.stride) {
      const node = nodes[i];
      if (packData === undefined) {
        if (!packKey(node, into, at)) return false;
      } else {
        if (!Array.isArray(node) || node.length !== 2) return false;
        if (!packKey(node[0], into, at) || !packData(node[1], into, at + offsets.data)) return false;
      }
    }
    return true;
  });
}

function keyOf(node: unknown): unknown {
  return Array.isArray(node) ? node[0] : undefined;
}

/** A key with nothing but a timeout of whole seconds beside it. */
function timedOf(node: unknown): { readonly val: unknown; readonly timeout: number } | undefined {
  const elem = (node as { readonly elem?: { val: unknown; timeout: number } } | null | undefined)?.elem;
  if (typeof elem !== 'object' || elem === null || Array.isArray(node)) return undefined;
  const { timeout } = elem;
  if (!(Number.isInteger(timeout) && timeout > 0 && timeout <= 0xffffffff)) return undefined;
  for (const name in elem) if (name !== 'val' && name !== 'timeout') return undefined;
  for (const name in node as object) if (name !== 'elem') return undefined;
  return elem;
}

/** As `pack`, for keys with a timeout or without. */
function timed(pack: Packer, offset: number): Packer {
  const scratch = new DataView(new ArrayBuffer(4));
  const seconds = new Uint8Array(scratch.buffer);
  return (node, into, at) => {
    const elem = timedOf(node);
    if (elem === undefined) return pack(node, into, at);
    scratch.setUint32(0, elem.timeout, hostIsLittleEndian);
    into.set(seconds, at + offset);
    return pack(elem.val, into, at);
  };
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
    if (!Array.isArray(fields) || fields.length !== packers.length) return false;
    for (const name in node as object) if (name !== 'concat') return false;
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
