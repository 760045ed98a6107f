import { DatatypeError, type DatatypeName, datatype } from '../datatype/index.ts';
import { at, CompileError, MAX_8, MAX_16, MAX_32, type Path, whole } from '../linearize/index.ts';
import { ERSPAN_DIRECTIONS, type objectData } from '../message/index.ts';
import type { ValueOf } from '../wire/schema.ts';
import type { ParsedCommand } from './command.ts';

type Node = Readonly<Record<string, unknown>>;
type Data = ValueOf<typeof objectData.tunnel>;
type Options = NonNullable<Data['opts']>;

/** The kernel's attributes of a tunnel, from its JSON. libnftnl 1.2 has no options of geneve. */
export function tunnelData({ node, path }: ParsedCommand): Data {
  const number = (key: string, greatest: number) =>
    node[key] === undefined ? undefined : whole(node[key] as number, greatest, at(path, key));
  const [src4, dst4] = [address(node, 'src-ipv4', path), address(node, 'dst-ipv4', path)];
  const [src6, dst6] = [address(node, 'src-ipv6', path), address(node, 'dst-ipv6', path)];
  if ((src4 ?? dst4) !== undefined && (src6 ?? dst6) !== undefined)
    throw new CompileError(path, 'a tunnel is of IPv4 or of IPv6, not of both');
  if ((dst4 ?? dst6) === undefined)
    throw new CompileError(path, 'expected dst-ipv4 or dst-ipv6: where the tunnel leads to');
  if (node.id === undefined) throw new CompileError(at(path, 'id'), 'expected a number');
  return {
    id: number('id', MAX_32),
    ...(dst4 && { ip: { saddr: src4, daddr: dst4 } }),
    ...(dst6 && { ip6: { saddr: src6, daddr: dst6 } }),
    tos: number('tos', MAX_8),
    ttl: number('ttl', MAX_8),
    sport: number('sport', MAX_16),
    dport: number('dport', MAX_16),
    ...(node.type !== undefined && { opts: options(node, path) }),
  } as Data;
}

function address(node: Node, key: string, path: Path): Uint8Array | undefined {
  const text = node[key];
  if (text === undefined) return undefined;
  const type: DatatypeName = key.endsWith('4') ? 'ipv4_addr' : 'ipv6_addr';
  try {
    const value = datatype(type).parse(text as string);
    const length = type === 'ipv4_addr' ? 4 : 16;
    return Uint8Array.from(Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex'));
  } catch (error) {
    if (error instanceof DatatypeError)
      throw new CompileError(at(path, key), error.message, { cause: error });
    throw error;
  }
}

function options({ type, tunnel }: Node, path: Path): Options {
  const place = at(path, 'tunnel');
  if (typeof tunnel !== 'object' || tunnel === null || Array.isArray(tunnel))
    throw new CompileError(place, `expected an object with the options of ${type}`);
  const given = tunnel as Node;
  const number = (key: string, greatest: number) => whole(given[key] as number, greatest, at(place, key));
  if (type === 'vxlan') return { vxlan: { gbp: number('gbp', MAX_32) } };
  if (type !== 'erspan') throw new CompileError(at(path, 'type'), 'expected vxlan or erspan');
  if (given.version === 1) return { erspan: { version: 1, index: number('index', MAX_32) } };
  if (given.version !== 2) throw new CompileError(at(place, 'version'), 'expected 1 or 2');
  const dir = ERSPAN_DIRECTIONS.indexOf(given.direction as never);
  if (dir < 0)
    throw new CompileError(at(place, 'direction'), `expected one of ${ERSPAN_DIRECTIONS.join(', ')}`);
  return { erspan: { version: 2, dir, hwid: number('hwid', MAX_8) } };
}
