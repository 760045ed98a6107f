import type { Typed } from '../../bytecode/index.ts';
import { datatype, quoted } from '../../datatype/index.ts';
import type { Dup, Expression, Flow, Fwd, Queue, SynproxyState, Tproxy } from '../../model/index.ts';
import { families } from '../../protocol/index.ts';
import { checkArgument } from '../argument.ts';
import { boundsOf } from '../constant.ts';
import { inByteOrder } from '../convert.ts';
import { at, CompileError, type Path } from '../error.ts';
import type { Expr } from '../expr.ts';
import { requireFamily } from '../family.ts';
import { evaluateLoadable } from '../loadable.ts';
import { checkName } from '../name.ts';
import type { Scope } from '../scope.ts';
import { MAX_16, whole } from '../whole.ts';
import { addressFamily, requireSameFamily, requireTransport } from './nat.ts';

const device: Typed = { type: datatype('iface_index'), bits: 32, byteorder: 'host' };
const port: Typed = { type: datatype('inet_service'), bits: 16, byteorder: 'network' };
const queueNumber: Typed = { type: datatype('integer'), bits: 16, byteorder: 'host' };
/** What a queue's number is computed in. */
const queueRegister: Typed = { ...queueNumber, bits: 32 };
const QUEUE_FLAGS = { bypass: 1, fanout: 2 } as const;
const SYNPROXY_FLAGS = { timestamp: 8, 'sack-perm': 4 } as const;
/** NF_SYNPROXY_OPT_MSS and NF_SYNPROXY_OPT_WSCALE: which of the two are given. */
const MSS_GIVEN = 1;
const WSCALE_GIVEN = 2;

function address(family: 'ip' | 'ip6'): Typed {
  return family === 'ip'
    ? { type: datatype('ipv4_addr'), bits: 32, byteorder: 'network' }
    : { type: datatype('ipv6_addr'), bits: 128, byteorder: 'network' };
}

function optional(node: Expression | undefined, want: Typed, scope: Scope, path: Path): Expr | undefined {
  return node === undefined ? undefined : evaluateArgument(node, scope, path, want);
}

/** What goes into a register for a statement. */
function evaluateArgument(node: Expression, scope: Scope, path: Path, want: Typed): Expr {
  const value = evaluateLoadable(node, scope, path, want);
  checkArgument(value, want, path);
  return inByteOrder(value, want.byteorder);
}

function bitsOf(
  table: Readonly<Record<string, number>>,
  flags: string | readonly string[] | undefined,
  path: Path,
): number {
  let bits = 0;
  for (const flag of flags === undefined ? [] : Array.isArray(flags) ? flags : [flags]) {
    const bit = table[flag as string];
    if (bit === undefined)
      throw new CompileError(path, `${quoted(flag)}: expected some of ${Object.keys(table).join(', ')}`);
    bits |= bit;
  }
  return bits;
}

/** `{ fwd: { dev, family, addr } }` */
export function evaluateFwd(node: Fwd, scope: Scope, path: Path): void {
  requireFamily('fwd', ['netdev'], scope, path);
  const dev = evaluateArgument(node.dev, scope, at(path, 'dev'), device);
  const family = addressFamily(node.family, scope, path);
  if (node.addr !== undefined && family === undefined)
    throw new CompileError(path, 'an address needs its family');
  const addr = optional(node.addr, address(family ?? 'ip'), scope, at(path, 'addr'));
  scope.action((emitter) => {
    emitter.scoped(() => {
      const register = emitter.load(dev);
      const to =
        addr === undefined ? {} : { addr: emitter.load(addr), nfproto: families[family as 'ip'].number };
      emitter.push({ name: 'fwd', dev: register, ...to });
    });
  });
}

/** `{ dup: { addr, dev } }` */
export function evaluateDup(node: Dup, scope: Scope, path: Path): void {
  requireFamily('dup', ['ip', 'ip6', 'netdev'], scope, path);
  const { addr, dev } = duplicate(node, scope, path);
  scope.action((emitter) => {
    emitter.scoped(() => {
      const to = addr === undefined ? {} : { addr: emitter.load(addr) };
      const through = dev === undefined ? {} : { dev: emitter.load(dev) };
      emitter.push({ name: 'dup', ...to, ...through });
    });
  });
}

/** In netdev a packet is duplicated to a device, which nft's JSON has as the address. */
function duplicate(node: Dup, scope: Scope, path: Path): { addr?: Expr | undefined; dev?: Expr | undefined } {
  if (scope.family !== 'netdev') {
    if (node.addr === undefined)
      throw new CompileError(path, 'dup needs the address to send a copy to: addr');
    const family = scope.family === 'ip6' ? 'ip6' : 'ip';
    const addr = optional(node.addr, address(family), scope, at(path, 'addr'));
    return { addr, dev: optional(node.dev, device, scope, at(path, 'dev')) };
  }
  if (node.addr !== undefined && node.dev !== undefined) {
    throw new CompileError(path, 'dup needs one device here, not an address too');
  }
  const [key, to] = node.addr === undefined ? (['dev', node.dev] as const) : (['addr', node.addr] as const);
  if (to === undefined) throw new CompileError(path, 'dup needs the device to send a copy to: addr');
  return { dev: evaluateArgument(to, scope, at(path, key), device) };
}

/** `{ tproxy: { family, addr, port } }` */
export function evaluateTproxy(node: Tproxy, scope: Scope, path: Path): void {
  if (node.addr === undefined && node.port === undefined)
    throw new CompileError(path, 'tproxy needs an address or a port');
  requireFamily('tproxy', ['ip', 'ip6', 'inet'], scope, path);
  requireTransport(scope, path);
  const family =
    scope.family === 'inet' && node.family === undefined
      ? undefined
      : addressFamily(node.family, scope, path);
  requireSameFamily(family, scope, path);
  if (node.addr !== undefined && family === undefined)
    throw new CompileError(path, 'an address needs its family');
  const addr = optional(node.addr, address(family ?? 'ip'), scope, at(path, 'addr'));
  const to = optional(node.port, port, scope, at(path, 'port'));
  scope.action((emitter) => {
    emitter.scoped(() => {
      const registers = { ...(addr && { addr: emitter.load(addr) }), ...(to && { port: emitter.load(to) }) };
      emitter.push({
        name: 'tproxy',
        family: family === undefined ? 0 : families[family].number,
        ...registers,
      });
    });
  });
}

/** `{ queue: { num, flags } }` */
export function evaluateQueue(node: Queue | null, scope: Scope, path: Path): void {
  const flags = bitsOf(QUEUE_FLAGS, node?.flags, at(path, 'flags'));
  const flagged = flags === 0 ? {} : { flags };
  const num = scope.evaluate(node?.num ?? 0, at(path, 'num'), queueNumber);
  if (flags & QUEUE_FLAGS.fanout && num.kind !== 'range')
    throw new CompileError(
      at(path, 'flags'),
      'fanout needs a range of queues: num: { range: [first, last] }',
    );
  if (num.kind === 'value' || num.kind === 'range') {
    const [first, last] = boundsOf(num);
    const total = Number(last - first) + 1;
    scope.action((emitter) => emitter.push({ name: 'queue', num: Number(first), total, ...flagged }));
    return;
  }
  if (num.kind === 'verdict' || num.kind === 'set' || num.kind === 'prefix')
    throw new CompileError(at(path, 'num'), 'a number or a range of numbers belongs here');
  checkArgument(num, queueRegister, at(path, 'num'));
  scope.action((emitter) => {
    emitter.scoped(() => emitter.push({ name: 'queue', sreg: emitter.load(num), ...flagged }));
  });
}

/** `{ synproxy: { mss, wscale, flags } }` */
export function evaluateSynproxy(node: SynproxyState | null, scope: Scope, path: Path): void {
  const { mss, wscale } = node ?? {};
  const flags =
    bitsOf(SYNPROXY_FLAGS, node?.flags, at(path, 'flags')) |
    (mss === undefined ? 0 : MSS_GIVEN) |
    (wscale === undefined ? 0 : WSCALE_GIVEN);
  const size = whole(mss ?? 0, MAX_16, at(path, 'mss'));
  const scale = whole(wscale ?? 0, 14, at(path, 'wscale'));
  scope.action((emitter) => emitter.push({ name: 'synproxy', mss: size, wscale: scale, flags }));
}

/** `{ flow: { op: "add", flowtable: "@name" } }` */
export function evaluateFlow(node: Flow, scope: Scope, path: Path): void {
  const place = at(path, 'flowtable');
  if (!node.flowtable.startsWith('@'))
    throw new CompileError(place, 'expected the name of a flowtable: "@name"');
  const table = checkName(node.flowtable.slice(1), place);
  scope.action((emitter) => emitter.push({ name: 'flow_offload', table }));
}
