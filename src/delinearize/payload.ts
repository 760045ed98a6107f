import { datatype } from '../datatype/index.ts';
import type { Payload as PayloadNode } from '../model/index.ts';
import { type Header, type HeaderField, headers } from '../protocol/index.ts';
import type { Described } from './described.ts';
import { layerOf, type ProtocolContext } from './protocol-context.ts';
import type { Payload } from './term.ts';
import { Inexpressible } from './term.ts';

const RAW_BASES = { link: 'll', network: 'nh', transport: 'th', inner: 'ih' } as const;

/** A header that a payload may lie in, and where it starts, in bits. */
interface Place {
  readonly header: Header;
  readonly start: number;
}

/** The header that the context promises at this place of the packet. */
function placeOf({ base, offset, tunnel }: Payload, context: ProtocolContext): Place | undefined {
  if (base === 'tunnel') return tunnel && { header: headers[tunnel.name as 'vxlan'], start: 0 };
  if (base === 'link') {
    let start = 0;
    for (const header of context.linkHeaders) {
      if (header.bits === 0) return undefined;
      if (offset < start + header.bits) return { header, start };
      start += header.bits;
    }
    return undefined;
  }
  const header = context.header(layerOf(base));
  if (header !== undefined && header.base === base && Object.keys(header.fields).length > 0)
    return { header, start: 0 };
  return base === 'transport' && header === undefined ? { header: headers.th, start: 0 } : undefined;
}

function fits(field: HeaderField, context: ProtocolContext): boolean {
  return (
    field.icmp === undefined || (context.messageTypes?.every((type) => field.icmp?.includes(type)) ?? true)
  );
}

function fieldsFrom({ header, start }: Place, offset: number, context: ProtocolContext): HeaderField[] {
  return Object.values(header.fields).filter(
    (field) => field.offset === offset - start && fits(field, context),
  );
}

/** The field that a payload is exactly, where the context tells. */
export function namedPayload(term: Payload, context: ProtocolContext): Described | undefined {
  const place = placeOf(term, context);
  if (place === undefined) return undefined;
  const field = fieldsFrom(place, term.offset, context).find(({ bits }) => bits === term.bits);
  return field && describeField(place.header, field, term, context);
}

function describeField(
  header: Header,
  field: HeaderField,
  { tunnel }: Payload,
  context: ProtocolContext,
): Described {
  const within = tunnel === undefined ? {} : { tunnel: tunnel.name };
  return {
    node: { payload: { protocol: header.name, field: field.name, ...within } as PayloadNode },
    type: datatype(isBareCode(field, context) ? 'integer' : field.type),
    bits: field.bits,
    byteorder: field.byteorder,
    field: { header, name: field.name, message: field.icmp?.length === 1 },
    tunnel,
  };
}

/** Codes have names in one type of message alone: why a destination is unreachable. */
function isBareCode({ type }: HeaderField, { messageTypes }: ProtocolContext): boolean {
  const unreachable = type === 'icmp_code' ? 3 : type === 'icmpv6_code' ? 1 : undefined;
  if (unreachable === undefined) return false;
  return messageTypes?.length !== 1 || messageTypes[0] !== unreachable;
}

/** Bits of the packet without a name. */
export function rawPayload(term: Payload): Described {
  if (term.base === 'tunnel') throw new Inexpressible('the tunnel header has no such field');
  const within = term.tunnel === undefined ? {} : { tunnel: term.tunnel.name };
  return {
    node: {
      payload: { base: RAW_BASES[term.base], offset: term.offset, len: term.bits, ...within } as PayloadNode,
    },
    type: datatype('integer'),
    bits: term.bits,
    byteorder: 'network',
  };
}

/** A part of a payload that was loaded with its neighbours. */
export interface PayloadPart {
  readonly described: Described;
  /** Where it starts in the load, and how much of it was loaded, in bits. */
  readonly at: number;
  readonly loaded: number;
}

/**
 * The fields that a load covers one after the other (nft's payload_expr_expand). The last may be loaded in
 * part: the first bytes of an address are a prefix. What no field covers is raw.
 */
export function splitPayload(term: Payload, context: ProtocolContext): PayloadPart[] {
  const parts: PayloadPart[] = [];
  for (let at = 0; at < term.bits; ) {
    const left: Payload = { ...term, offset: term.offset + at, bits: term.bits - at };
    const place = placeOf(left, context);
    const field = place && fieldsFrom(place, left.offset, context).find(({ bits }) => bits % 8 === 0);
    if (place === undefined || field === undefined) {
      if (at > 0) return [{ described: rawPayload(term), at: 0, loaded: term.bits }];
      parts.push({ described: rawPayload(left), at, loaded: left.bits });
      break;
    }
    const loaded = Math.min(field.bits, left.bits);
    parts.push({ described: describeField(place.header, field, term, context), at, loaded });
    at += loaded;
  }
  return parts;
}
