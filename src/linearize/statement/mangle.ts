import { CT_KEYS, type Instruction, META_KEYS, type Typed } from '../../bytecode/index.ts';
import type { Expression, Mangle, ObjectReference, TcpOption } from '../../model/index.ts';
import {
  findCt,
  findHeader,
  findHeaderField,
  findMeta,
  findTcpOption,
  type Header,
} from '../../protocol/index.ts';
import { checkArgument } from '../argument.ts';
import { constant, inByteOrder } from '../convert.ts';
import { at, CompileError, type Path } from '../error.ts';
import { bytesFor, type Expr, type Exthdr, type Load, maxOf, type Payload } from '../expr.ts';
import { evaluateLoadable } from '../loadable.ts';
import { found } from '../payload.ts';
import type { Scope } from '../scope.ts';
import { checkShape } from '../shape.ts';
import { evaluateObjectReference } from './stateful.ts';

/** `{ mangle: { key, value } }`: writes a part of the packet, or its metadata. */
export function evaluateMangle(node: Mangle, scope: Scope, path: Path): void {
  const place = at(path, 'key');
  if (setsHelper(node)) {
    evaluateObjectReference('ct helper', node.value as ObjectReference, scope, at(path, 'value'));
    return;
  }
  const key = scope.evaluate(node.key, place);
  const target = storage(key);
  if (target === undefined)
    throw new CompileError(place, 'a payload, meta, ct or option expression that can be set belongs here');
  const typed: Typed = { type: key.type, bits: target.bits, byteorder: target.byteorder };
  const value = evaluateStored(node.value, typed, scope, at(path, 'value'));
  if (target.kind === 'payload') storePayload(target, value, scope, at(path, 'value'));
  else store(value, scope, target.kind === 'load' ? loadStore(target, place) : exthdrStore(target, place));
}

/** A helper is an object, not a value: `ct helper set "ftp"`. */
function setsHelper({ key }: Mangle): boolean {
  return typeof key === 'object' && key !== null && 'ct' in key && key.ct?.key === 'helper';
}

function evaluateStored(node: Expression, typed: Typed, scope: Scope, path: Path): Expr {
  const value = evaluateLoadable(node, scope, path, typed);
  if (value.kind === 'concat') throw new CompileError(path, `a single ${typed.type.name} belongs here`);
  checkArgument(value, typed, path);
  return inByteOrder(value, typed.byteorder);
}

/** The field behind the mask and shift that reading it takes. */
function storage(key: Expr): Payload | Exthdr | Load | undefined {
  let source = key;
  while (source.kind === 'binop' || source.kind === 'byteorder')
    source = source.kind === 'binop' ? source.left : source.arg;
  if (source.kind !== 'payload' && source.kind !== 'exthdr' && source.kind !== 'load') return undefined;
  if (key.kind !== 'binop') return source;
  return key.limit === undefined ? undefined : { ...source, bits: key.limit };
}

function store(value: Expr, scope: Scope, instruction: (sreg: number) => Instruction): void {
  scope.action((emitter) => emitter.scoped(() => emitter.push(instruction(emitter.load(value)))));
}

function loadStore(target: Load, path: Path): (sreg: number) => Instruction {
  const [kind, name] = target.source;
  if (kind === 'meta') {
    const selector = findMeta(name);
    if (!selector.settable) throw new CompileError(path, `meta ${name} cannot be set`);
    const key = META_KEYS[selector.key] as (typeof META_KEYS)[number];
    return (sreg) => ({ name: 'meta', key, sreg });
  }
  if (kind === 'ct') {
    const selector = findCt(name);
    if (!selector.settable) throw new CompileError(path, `ct ${name} cannot be set`);
    const key = CT_KEYS[selector.key] as (typeof CT_KEYS)[number];
    const loaded = target.load(0);
    const direction =
      loaded.name === 'ct' && loaded.direction !== undefined ? { direction: loaded.direction } : {};
    return (sreg) => ({ name: 'ct', key, sreg, ...direction });
  }
  throw new CompileError(path, `${kind} cannot be set`);
}

function exthdrStore(target: Exthdr, path: Path): (sreg: number) => Instruction {
  if (target.op !== 'tcpopt' || target.present)
    throw new CompileError(path, 'of options and extension headers only fields of TCP options can be set');
  if (target.offset % 8 !== 0 || target.bits % 8 !== 0)
    throw new CompileError(path, 'of TCP options only whole bytes can be set');
  return (sreg) => ({
    name: 'exthdr',
    sreg,
    type: target.number,
    offset: target.offset / 8,
    len: bytesFor(target.bits),
    op: target.op,
  });
}

/** NFT_PAYLOAD_CSUM_*. */
const CHECKSUM_TYPES = { inet: 1, sctp: 2 } as const;
/** NFT_PAYLOAD_L4CSUM_PSEUDOHDR */
const PSEUDO_HEADER = 1;

/** How the checksum follows: of the header itself, and of the transport header where the field is part of that. */
function checksum(target: Payload): { csumType: number; csumOffset: number; csumFlags: number } {
  const header: Header | undefined = target.header === undefined ? undefined : findHeader(target.header);
  const own = header?.checksum;
  return {
    csumType: own === undefined ? 0 : CHECKSUM_TYPES[own.type],
    csumOffset: own === undefined || header === undefined ? 0 : findHeaderField(header, own.field).offset / 8,
    csumFlags: isInner(target) || isSummed(target, header) ? PSEUDO_HEADER : 0,
  };
}

/** The transport header's checksum covers whatever stands behind that header, */
const isInner = ({ base }: Payload) => base === 'inner';

/** and fields of the network header that are part of the pseudo header. */
const isSummed = ({ field }: Payload, header: Header | undefined) =>
  field !== undefined && header?.pseudoHeader?.includes(field) === true;

/**
 * Writes whole bytes; a narrower field, or an odd number of bytes under a checksum (which is summed over
 * pairs of bytes), is read, changed and written back.
 */
function storePayload(target: Payload, value: Expr, scope: Scope, path: Path): void {
  const csum = checksum(target);
  const lead = target.offset % 8;
  let first = Math.floor(target.offset / 8);
  let size = Math.ceil((lead + target.bits) / 8);
  let shift = size * 8 - lead - target.bits;
  const checked = csum.csumType !== 0 || isInner(target);
  if (checked && size % 2 === 1) {
    size += 1;
    if (first % 2 === 1) first -= 1;
    else shift += 8;
  }
  let whole = value;
  if (size * 8 !== target.bits) {
    const typed: Typed = { type: target.type, bits: size * 8, byteorder: 'network' };
    const keep = constant(typed, maxOf(size * 8) ^ (maxOf(target.bits) << BigInt(shift)));
    const bytes: Payload = { ...target, ...typed, offset: first * 8 };
    if (value.kind !== 'value') throw new CompileError(path, 'this field is set to a constant only');
    const and: Expr = { ...typed, kind: 'binop', op: 'and', left: bytes, right: keep };
    whole = {
      ...typed,
      kind: 'binop',
      op: 'xor',
      left: and,
      right: constant(typed, value.value << BigInt(shift)),
    };
  }
  store(whole, scope, (sreg) => ({
    name: 'payload',
    sreg,
    base: target.base,
    offset: first,
    len: size,
    ...csum,
  }));
}

/** `{ reset: { 'tcp option': { name } } }`: overwrites the option with padding. */
export function evaluateReset(node: { readonly 'tcp option': TcpOption }, scope: Scope, path: Path): void {
  const place = at(path, 'tcp option');
  const option = node['tcp option'];
  checkShape(option, { name: 'text!' }, place);
  const { name } = option as { readonly name: string };
  const { type } = found(() => findTcpOption(name), at(place, 'name'));
  scope.action((emitter) => emitter.push({ name: 'exthdr', type, op: 'tcpopt' }));
}
