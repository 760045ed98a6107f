import { datatype } from '../../datatype/index.ts';
import { ERSPAN_DIRECTIONS, type objectData } from '../../message/index.ts';
import type { ValueOf } from '../../wire/schema.ts';

type Data = ValueOf<typeof objectData.tunnel>;

/** A tunnel's JSON, from the kernel's attributes. What is 0 was not given, but for the number. */
export function tunnelContents({ id, ip, ip6, tos, ttl, sport, dport, opts }: Data): Record<string, unknown> {
  const given = Object.entries({ sport, dport, tos, ttl }).filter(([, value]) => value);
  return {
    id,
    ...addresses('4', ip),
    ...addresses('6', ip6),
    ...Object.fromEntries(given),
    ...(opts && options(opts)),
  };
}

function addresses(version: '4' | '6', ends: { saddr?: Uint8Array; daddr?: Uint8Array } | undefined) {
  const type = datatype(`ipv${version}_addr`);
  const text = (bytes: Uint8Array | undefined) =>
    bytes?.some((byte) => byte !== 0)
      ? type.format(BigInt(`0x${Buffer.from(bytes).toString('hex')}`))
      : undefined;
  const [saddr, daddr] = [text(ends?.saddr), text(ends?.daddr)];
  return {
    ...(saddr !== undefined && { [`src-ipv${version}`]: saddr }),
    ...(daddr !== undefined && { [`dst-ipv${version}`]: daddr }),
  };
}

function options({ vxlan, erspan }: NonNullable<Data['opts']>): Record<string, unknown> {
  if (vxlan !== undefined) return { type: 'vxlan', tunnel: { gbp: vxlan.gbp ?? 0 } };
  if (erspan === undefined) return {};
  const { version, index = 0, dir = 0, hwid = 0 } = erspan;
  const tunnel =
    version === 1 ? { version, index } : { version, direction: ERSPAN_DIRECTIONS[dir] ?? dir, hwid };
  return { type: 'erspan', tunnel };
}
