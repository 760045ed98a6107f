import { hostIsLittleEndian } from '../datatype/index.ts';
import {
  at,
  CompileError,
  PackedElements,
  type Path,
  type Scope,
  SET_FLAGS,
  type SetDeclaration,
} from '../linearize/index.ts';
import type { ElementRows, PackedField } from '../model/index.ts';

const ALIGN = 4;

/**
 * The caller's rows as elements of a set.
 *
 * @throws CompileError when the set is of other types; where the rows are written, when a row has bytes where zeros
 *   belong, or the number of no verdict
 */
export function packRows(
  { packing, bytes, length }: ElementRows,
  { key, data, flags }: SetDeclaration,
  scope: Scope,
  path: Path,
): PackedElements {
  if (flags & SET_FLAGS.interval)
    throw new CompileError(path, 'elements of a set with intervals cannot be packed');
  const values = data?.kind === 'value' ? data.parts : [];
  expectSame('key', packing.key, key, path);
  expectSame('value', packing.data, values, path);
  if (
    (data?.kind === 'verdict') !== (packing.verdicts !== undefined) ||
    data?.kind === 'object' ||
    (data?.kind === 'value' && data.interval)
  )
    throw new CompileError(path, 'the values of this set cannot be packed so');
  const verdicts = packing.verdicts?.map((node) => {
    const verdict = scope.evaluate(node, path);
    if (verdict.kind !== 'verdict') throw new CompileError(path, 'a verdict belongs into a verdict map');
    return verdict.verdict;
  });
  const { stride, verdictOffset, timeoutOffset } = packing;
  const shape = {
    key: bytesOf(packing.key),
    data: bytesOf(packing.data),
    verdicts,
    timeouts: timeoutOffset !== undefined,
  };
  const gaps = [...gapsOf(packing.key), ...gapsOf(packing.data)];
  const numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const view = (from: number, to: number) => {
    for (const gap of gaps) {
      for (let i = from, place = from * stride + gap; i < to; i++, place += stride)
        if (bytes[place] !== 0) throw new CompileError(at(path, i), `byte ${gap} of the row is no zero`);
    }
    if (verdicts !== undefined && verdictOffset !== undefined) {
      for (let i = from, place = from * stride + verdictOffset; i < to; i++, place += stride) {
        const number = numbers.getUint32(place, hostIsLittleEndian);
        if (number >= verdicts.length) throw new CompileError(at(path, i), `there is no verdict ${number}`);
      }
    }
    return bytes.subarray(from * stride, to * stride);
  };
  const write = (into: Uint8Array, from: number, to: number) => {
    into.set(view(from, to));
    return true;
  };
  return new PackedElements(shape, length, write, view);
}

function expectSame(
  what: string,
  packed: readonly PackedField[],
  parts: SetDeclaration['key'],
  path: Path,
): void {
  const same =
    packed.length === parts.length &&
    packed.every(({ type, bytes, byteorder }, i) => {
      const part = parts[i];
      return part?.type.name === type && part.bits === bytes * 8 && part.byteorder === byteorder;
    });
  if (same) return;
  const names = (list: readonly string[]) => list.join(' . ') || 'nothing';
  throw new CompileError(
    path,
    `rows with ${names(packed.map(({ type }) => type))} as ${what} where the set has ${names(parts.map(({ type }) => type.name))}`,
  );
}

/** From the first byte of fields to the last; of several, each is padded. */
function bytesOf(fields: readonly PackedField[]): number {
  const [first] = fields;
  const last = fields.at(-1);
  if (first === undefined || last === undefined) return 0;
  const end = last.offset + last.bytes - first.offset;
  return fields.length === 1 ? end : Math.ceil(end / ALIGN) * ALIGN;
}

/** The bytes behind fields that are part of what the kernel compares, and have to be zero. */
function gapsOf(fields: readonly PackedField[]): number[] {
  if (fields.length === 1) return [];
  return fields.flatMap(({ offset, bytes }) =>
    Array.from({ length: -bytes & (ALIGN - 1) }, (_, i) => offset + bytes + i),
  );
}
