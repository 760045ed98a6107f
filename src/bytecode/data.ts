import { hostIsLittleEndian } from '../datatype/byteorder.ts';
import { WireError } from '../wire/attribute-reader.ts';
import { bytes, type Codec, decode, nested, optional, string, u32 } from '../wire/schema.ts';

/** What a verdict does, with the kernel's numbers: packet verdicts are ≥ 0, those of the machine < 0. */
const VERDICT_CODES = {
  accept: 1,
  drop: 0,
  stolen: 2,
  queue: 3,
  continue: -1,
  break: -2,
  jump: -3,
  goto: -4,
  return: -5,
} as const;

export type VerdictCode = keyof typeof VERDICT_CODES;

/** A verdict in a register or a map; `jump` and `goto` name their chain. */
export interface VerdictData {
  readonly code: VerdictCode;
  readonly chain?: string | undefined;
}

const verdictCode: Codec<VerdictCode> = {
  write: (writer, id, code) => writer.u32(id, VERDICT_CODES[code] >>> 0),
  read(bytes, start, end) {
    const number = u32.read(bytes, start, end) | 0;
    for (const [name, code] of Object.entries(VERDICT_CODES)) if (code === number) return name as VerdictCode;
    throw new WireError(`no verdict has the code ${number}`);
  },
};

const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;

const verdict = nested({ code: optional(1, verdictCode), chain: optional(2, string) });

/** NFTA_DATA_*: exactly one of the two. */
const dataSchema = { value: optional(NFTA_DATA_VALUE, bytes), verdict: optional(NFTA_DATA_VERDICT, verdict) };

/** Bytes for a register, or a verdict. */
export type Data = Uint8Array | VerdictData;

/** A nest with NFTA_DATA_VALUE or NFTA_DATA_VERDICT. */
export const data: Codec<Data> = {
  write(writer, id, value) {
    writer.begin(id);
    if (value instanceof Uint8Array) writer.raw(NFTA_DATA_VALUE, value);
    else verdict.write(writer, NFTA_DATA_VERDICT, value);
    writer.end();
  },
  read(bytes, start, end) {
    const { value, verdict } = decode(dataSchema, bytes, start, end);
    if (value !== undefined) return value;
    if (verdict?.code === undefined) throw new WireError('data without value or verdict');
    return verdict.chain === undefined
      ? { code: verdict.code }
      : { code: verdict.code, chain: verdict.chain };
  },
};

/** A nest with NFTA_DATA_VALUE only. */
export const value: Codec<Uint8Array> = {
  write: data.write,
  read(bytes, start, end) {
    const read = data.read(bytes, start, end);
    if (!(read instanceof Uint8Array)) throw new WireError('a verdict where a value belongs');
    return read;
  },
};

/** The 32-bit words of register data, each as the host reads it, in libnftnl's notation. */
export function words(data: Uint8Array, prefix = '0x'): string {
  const padded = new Uint8Array((data.length + 3) & ~3);
  padded.set(data);
  const view = new DataView(padded.buffer);
  let text = '';
  for (let at = 0; at < padded.length; at += 4) {
    const word = view.getUint32(at, hostIsLittleEndian).toString(16).padStart(8, '0');
    text += at === 0 ? `${prefix}${word}` : ` ${prefix}${word}`;
  }
  return text;
}

/** Data in libnftnl's notation: words, or a verdict with its chain. */
export function dataText(data: Data): string {
  if (data instanceof Uint8Array) return words(data);
  return data.chain === undefined ? data.code : `${data.code} -> ${data.chain}`;
}
