import { datatype } from '../datatype/index.ts';
import type { DccpOption, Exthdr as ExthdrNode, IpOption, SctpChunk, TcpOption } from '../model/index.ts';
import {
  dccpOption,
  type Extension,
  findExtensionField,
  findExthdr,
  findIpOption,
  findSctpChunk,
  findTcpOption,
  headers,
} from '../protocol/index.ts';
import { at, CompileError, type Path } from './error.ts';
import type { Expr, Exthdr } from './expr.ts';
import { found, requireHeader, wholeBytes } from './payload.ts';
import type { Scope } from './scope.ts';
import { MAX_8, whole } from './whole.ts';

const OPS = {
  ipv6: 'ipv6',
  'tcp option': 'tcpopt',
  'ip option': 'ipv4',
  'sctp chunk': 'sctp',
  'dccp option': 'dccp',
} as const;

/** Where a field of a TCP option can start at the latest: options have 40 bytes. */
const MAX_OPTION_BITS = 40 * 8 - 1;

/** A field of an extension, or without `field` whether the packet has it at all. */
function evaluateExtension(
  extension: Extension,
  field: string | undefined,
  skip: number,
  scope: Scope,
  path: Path,
): Expr {
  const network =
    extension.op === 'ipv6' ? headers.ip6 : extension.op === 'ip option' ? headers.ip : undefined;
  // As nft has it: the family of the options is asked for at the head of the rule.
  if (network !== undefined) scope.first(() => requireHeader(network, scope, path, 'field'));
  if (field === undefined) return presence(OPS[extension.op], extension.type);
  const layout = found(() => findExtensionField(extension, field), at(path, 'field'));
  return wholeBytes({
    kind: 'exthdr',
    op: OPS[extension.op],
    number: extension.type,
    offset: layout.offset + skip,
    present: false,
    type: datatype(layout.type),
    bits: layout.bits,
    byteorder: layout.byteorder,
  });
}

function presence(op: Exthdr['op'], number: number): Exthdr {
  return {
    kind: 'exthdr',
    op,
    number,
    offset: 0,
    present: true,
    type: datatype('boolean'),
    bits: 8,
    byteorder: 'network',
  };
}

/** `{ exthdr: { name, field, offset } }`; `offset` counts addresses of a routing header. */
export function evaluateExthdr(node: ExthdrNode, scope: Scope, path: Path | undefined): Expr {
  const place = at(path, 'exthdr');
  const extension = found(() => findExthdr(node.name), at(place, 'name'));
  return evaluateExtension(
    extension,
    node.field,
    whole(node.offset ?? 0, MAX_8, at(place, 'offset')) * 128,
    scope,
    place,
  );
}

/** `{ 'tcp option': { name, field } }`, or bits of an option by number: `{ base, offset, len }`. */
export function evaluateTcpOption(node: TcpOption, scope: Scope, path: Path | undefined): Expr {
  const place = at(path, 'tcp option');
  if ('base' in node) {
    if (!(Number.isInteger(node.base) && node.base >= 0 && node.base <= 255))
      throw new CompileError(at(place, 'base'), 'expected an option number from 0 to 255');
    if (node.offset === 0 && node.len === 8) return presence('tcpopt', node.base);
    if (!Number.isInteger(node.offset) || node.offset < 0 || node.offset > MAX_OPTION_BITS) {
      throw new CompileError(at(place, 'offset'), `expected 0 to ${MAX_OPTION_BITS} bits`);
    }
    if (!Number.isInteger(node.len) || node.len < 1 || node.len > 128)
      throw new CompileError(at(place, 'len'), 'expected 1 to 128 bits');
    return wholeBytes({
      kind: 'exthdr',
      op: 'tcpopt',
      number: node.base,
      offset: node.offset,
      present: false,
      type: datatype('integer'),
      bits: node.len,
      byteorder: 'network',
    });
  }
  const extension = found(() => findTcpOption(node.name), at(place, 'name'));
  return evaluateExtension(extension, node.field, 0, scope, place);
}

/** `{ 'ip option': { name, field } }` */
export function evaluateIpOption(node: IpOption, scope: Scope, path: Path | undefined): Expr {
  const place = at(path, 'ip option');
  return evaluateExtension(
    found(() => findIpOption(node.name), at(place, 'name')),
    node.field,
    0,
    scope,
    place,
  );
}

/** `{ 'sctp chunk': { name, field } }` */
export function evaluateSctpChunk(node: SctpChunk, scope: Scope, path: Path | undefined): Expr {
  const place = at(path, 'sctp chunk');
  return evaluateExtension(
    found(() => findSctpChunk(node.name), at(place, 'name')),
    node.field,
    0,
    scope,
    place,
  );
}

/** `{ 'dccp option': { type } }`: whether it is there. */
export function evaluateDccpOption(node: DccpOption, scope: Scope, path: Path | undefined): Expr {
  const place = at(path, 'dccp option');
  if (!(node.type >= 0 && node.type <= 255))
    throw new CompileError(at(place, 'type'), 'expected an option number from 0 to 255');
  return evaluateExtension(dccpOption(node.type), undefined, 0, scope, place);
}
