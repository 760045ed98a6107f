import type { Typed } from '../bytecode/index.ts';
import { datatype } from '../datatype/index.ts';
import type { Payload as PayloadNode } from '../model/index.ts';
import {
  deviceTypes,
  families,
  findHeader,
  findHeaderField,
  findMeta,
  type Header,
  type HeaderField,
  headers,
  inetService,
  nextHeaderValue,
  ProtocolLookupError,
} from '../protocol/index.ts';
import { constant, inByteOrder } from './convert.ts';
import { at, CompileError, type Path } from './error.ts';
import { type Expr, type Exthdr, maxOf, type Payload } from './expr.ts';
import { isBelow, layerBelow, layerOf } from './protocol-context.ts';
import type { Scope } from './scope.ts';
import { metaLoad } from './selector.ts';
import { constantSet } from './set.ts';

/** NFT_INNER_LL: what is in the tunnel has a link header. */
const LINK_INSIDE = 2;

const RAW_BASES = { ll: 'link', nh: 'network', th: 'transport', ih: 'inner' } as const;

/** `{ payload: { protocol, field } }`, or `{ payload: { base, offset, len } }` with offset and len in bits. */
export function evaluatePayload(node: PayloadNode, scope: Scope, path: Path | undefined): Expr {
  const place = at(path, 'payload');
  if ('base' in node) return rawPayload(node, place);
  const { header, field } = found(() => {
    const named = findHeader(node.protocol);
    return { header: named, field: findHeaderField(named, node.field) };
  }, place);
  const own = header.base === 'tunnel';
  const tunnel = node.tunnel ?? (own ? header.name : undefined);
  if (tunnel === undefined || (tunnel === header.name && !own))
    return headerField(header, field, scope, place);
  const outer = requireTunnel(tunnel, scope, place);
  if (header.base === 'link' && ((outer.tunnel?.flags ?? 0) & LINK_INSIDE) === 0) {
    throw new CompileError(
      at(place, 'protocol'),
      `${outer.name} carries packets without a link header, so no ${header.name}`,
    );
  }
  return scope.inside(tunnel, () =>
    header === outer ? wholeBytes(payloadOf(header, field, scope)) : headerField(header, field, scope, place),
  );
}

function headerField(header: Header, field: HeaderField, scope: Scope, path: Path): Expr {
  requireHeader(header, scope, path);
  if (field.icmp) requireMessageType(header, field.icmp, scope, path);
  return wholeBytes(payloadOf(header, field, scope));
}

/** Makes sure that there is a tunnel to look into. */
function requireTunnel(name: string, scope: Scope, path: Path): Header {
  const header = found(() => findHeader(name), at(path, 'tunnel'));
  if (header.tunnel === undefined)
    throw new CompileError(at(path, 'tunnel'), `${name} is no tunnel that can be looked into`);
  const { carrier } = header.tunnel;
  const known = scope.protocols.header('transport');
  if (carrier === undefined) {
    if (known === undefined) dependOnHeader(inetService, headers.gre, scope, path);
  } else if (known !== headers[carrier]) {
    throw new CompileError(path, `${name} needs a match on ${carrier} before it`);
  }
  return header;
}

function rawPayload(node: Extract<PayloadNode, { base: unknown }>, path: Path): Expr {
  const base = RAW_BASES[node.base];
  if (base === undefined)
    throw new CompileError(at(path, 'base'), `expected one of ${Object.keys(RAW_BASES).join(', ')}`);
  const { offset, len } = node;
  if (!Number.isInteger(offset) || offset < 0)
    throw new CompileError(at(path, 'offset'), 'expected a number of bits');
  if (!Number.isInteger(len) || len < 1 || len > 128)
    throw new CompileError(at(path, 'len'), 'expected 1 to 128 bits');
  // nft takes the first two words of any transport header for its ports.
  const isPort = base === 'transport' && len === 16 && (offset === 0 || offset === 16);
  return wholeBytes({
    kind: 'payload',
    base,
    offset,
    type: datatype(isPort ? 'inet_service' : 'integer'),
    bits: len,
    byteorder: 'network',
  });
}

/** Turns an unknown name into an error at its place. */
export function found<T>(find: () => T, path: Path | undefined): T {
  try {
    return find();
  } catch (error) {
    if (error instanceof ProtocolLookupError) throw new CompileError(path, error.message, { cause: error });
    throw error;
  }
}

/** A field of a header, behind the link headers that stand before it. */
export function payloadOf(header: Header, field: HeaderField, scope: Scope): Payload {
  const current = header === scope.protocols.header('link') || !scope.protocols.isStacked(header);
  const stacked = header.base === 'link' && current ? scope.protocols.stackedBits : 0;
  return {
    kind: 'payload',
    base: header.base,
    offset: field.offset + stacked,
    type: datatype(field.type),
    bits: field.bits,
    byteorder: field.byteorder,
    header: header.name,
    field: field.name,
    tunnel: scope.tunnel,
  };
}

/**
 * The kernel loads whole bytes: a field that is narrower is masked and shifted.
 *
 * ```
 *  |<- offset % 8 ->|<- bits ->|<- shift ->|
 *  |               whole bytes             |
 * ```
 */
export function wholeBytes(expr: Payload | Exthdr): Expr {
  const lead = expr.offset % 8;
  if (lead === 0 && expr.bits % 8 === 0) return expr;
  let shift = Math.ceil(expr.bits / 8) * 8 - (lead + expr.bits);
  let extra = 0;
  while (shift < 0) {
    shift += 8;
    extra += 8;
  }
  const masked: Typed = { type: expr.type, bits: expr.bits + shift, byteorder: expr.byteorder };
  const mask = constant(masked, maxOf(expr.bits) << BigInt(shift));
  const and: Expr = {
    ...masked,
    kind: 'binop',
    op: 'and',
    left: { ...expr, bits: expr.bits + extra },
    right: mask,
  };
  if (shift === 0) return { ...and, limit: expr.bits };
  const by = constant({ type: datatype('integer'), bits: 32, byteorder: 'host' }, BigInt(shift));
  const host = inByteOrder(and, 'host');
  return {
    ...masked,
    kind: 'binop',
    op: 'rshift',
    byteorder: 'host',
    left: host,
    right: by,
    limit: expr.bits,
  };
}

/** Adds the matches that make sure the packet has `header`, unless it is known already. */
export function requireHeader(
  header: Header,
  scope: Scope,
  path: Path | undefined,
  how: DependencyKind = 'meta',
): void {
  const { protocols } = scope;
  const layer = layerOf(header.base);
  const known = protocols.header(layer);
  if (header.name === 'th') return;
  const rival = layer === 'transport' ? protocols.rivalOf(header) : undefined;
  if (rival !== undefined)
    throw new CompileError(
      path,
      `${header.name} cannot follow: by the matches before, the packet may be ${rival.name}`,
    );
  if (known === header) return;
  if (known === undefined) {
    dependOnLayerBelow(header, scope, path, how);
    return;
  }
  if (layer === 'link' && known.name !== 'unknown') {
    if (protocols.linkIsOpen) {
      dependOnDevice(header, scope, path);
      return;
    }
    if (protocols.isStacked(header)) return;
    requireOpenNetwork(header, scope, path);
    dependOnHeader(known, header, scope, path);
    return;
  }
  throw new CompileError(
    path,
    `${header.name} cannot follow: the packet is known to be ${known.name} by now`,
  );
}

/** Whether the network protocol is asked for by `meta protocol`, where nft does so, or by the link header's field. */
type DependencyKind = 'meta' | 'field';

function dependOnLayerBelow(header: Header, scope: Scope, path: Path | undefined, how: DependencyKind): void {
  const { protocols } = scope;
  const layer = layerOf(header.base);
  const first = protocols.familyHeader;
  if (isBelow(layer, layerOf(first.base))) {
    dependOnDevice(header, scope, path);
    return;
  }
  const below = layerBelow(layer);
  const known = below && protocols.header(below);
  if (known !== undefined) {
    dependOnHeader(known, header, scope, path, how);
    return;
  }
  if (layer !== 'transport') {
    throw new CompileError(path, `${header.name} needs a match on the ${below} protocol before it`);
  }
  if (header === headers.icmp || header === headers.icmpv6 || header === headers.igmp) {
    const network = header === headers.icmpv6 ? headers.ip6 : headers.ip;
    dependOnHeader(protocols.header('link') as Header, network, scope, path, 'field');
  }
  dependOnHeader(inetService, header, scope, path);
}

/** What a link header announces must not have been decided by a match on the network header. */
function requireOpenNetwork(header: Header, { protocols }: Scope, path: Path | undefined): void {
  const network = protocols.header('network');
  if (network === undefined || protocols.familyHeader.base !== 'link') return;
  throw new CompileError(path, `a match on ${header.name} belongs before those on ${network.name}`);
}

/** A link header in a family that starts above it: the device must be of the right type. */
function dependOnDevice(header: Header, scope: Scope, path: Path | undefined): void {
  const direct = deviceTypes.find(([, name]) => name === header.name);
  if (direct === undefined) {
    const outer = findHeader(deviceTypes[0]?.[1] as string);
    if (nextHeaderValue(outer, header) === undefined) {
      throw new CompileError(path, `${header.name} cannot be matched in family ${scope.family}`);
    }
    requireOpenNetwork(header, scope, path);
    dependOnDevice(outer, scope, path);
    dependOnHeader(outer, header, scope, path);
    return;
  }
  const left = metaLoad(findMeta('iiftype'));
  addDependency(scope, left, BigInt(direct[0]));
}

/** `lower` says in its key that `upper` follows. */
function dependOnHeader(
  lower: Header,
  upper: Header,
  scope: Scope,
  path: Path | undefined,
  how: DependencyKind = 'meta',
): void {
  const value = nextHeaderValue(lower, upper);
  if (value === undefined) {
    throw new CompileError(path, `${upper.name} cannot follow ${lower.name}`);
  }
  const viaProtocol =
    how === 'meta' &&
    lower === scope.protocols.familyHeader &&
    !scope.protocols.hasStacked &&
    families[scope.protocols.family].viaMetaProtocol.includes(upper.name);
  const key = viaProtocol ? 'protocol' : lower.keyMeta;
  if (key !== undefined) {
    const load = metaLoad(findMeta(key));
    const { tunnel } = scope;
    addDependency(scope, tunnel === undefined ? load : { ...load, tunnel }, BigInt(value));
    return;
  }
  if (lower.key === undefined) throw new CompileError(path, `${upper.name} cannot follow ${lower.name}`);
  addDependency(scope, payloadOf(lower, findHeaderField(lower, lower.key), scope), BigInt(value));
}

function addDependency(scope: Scope, left: Expr, value: bigint): void {
  const right = constant(left, value);
  scope.push({ kind: 'match', left, op: 'eq', right });
  scope.learn(left, right);
}

/** What nft takes a packet for that may be an echo's request or reply: ICMP's and ICMPv6's numbers. */
const ECHO_REQUESTS: readonly number[] = [8, 128];

/** A field that only some ICMP messages have needs one of those types. */
function requireMessageType(
  header: Header,
  types: readonly number[],
  scope: Scope,
  path: Path | undefined,
): void {
  const left = payloadOf(header, findHeaderField(header, 'type'), scope);
  const already = scope.protocols.messageType;
  if (already !== undefined) {
    if (types.includes(already)) return;
    throw new CompileError(
      path,
      `the packet is known to be ${header.name} type ${already}, which has no such field`,
    );
  }
  const values = types.map((type) => constant(left, BigInt(type)));
  if (values.length === 1 && values[0]) {
    addDependency(scope, left, values[0].value);
    return;
  }
  const set = constantSet(values, left, scope);
  scope.push({
    kind: 'match',
    left,
    op: 'eq',
    right: { kind: 'set', type: left.type, bits: left.bits, byteorder: left.byteorder, set },
  });
  scope.protocols.messageType = types.find((type) => ECHO_REQUESTS.includes(type)) ?? types[0];
}
