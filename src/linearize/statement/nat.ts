import { type Instruction, joinedBits, registerAt, slotsFor, type Typed } from '../../bytecode/index.ts';
import { datatype, quoted } from '../../datatype/index.ts';
import type { Expression, Nat, NatPort } from '../../model/index.ts';
import { families, headers } from '../../protocol/index.ts';
import { checkArgument } from '../argument.ts';
import { boundsOf } from '../constant.ts';
import { constant, inByteOrder } from '../convert.ts';
import type { Emitter } from '../emit.ts';
import { at, CompileError, type Path } from '../error.ts';
import type { Concat, Expr } from '../expr.ts';
import { requireFamily } from '../family.ts';
import type { Scope } from '../scope.ts';

/** NF_NAT_RANGE_* of linux/netfilter/nf_nat.h. */
const FLAGS = { random: 0x4, persistent: 0x8, 'fully-random': 0x10, netmap: 0x40 } as const;
const PORT_GIVEN = 0x2;
const NAT_FAMILIES = ['ip', 'ip6', 'inet'] as const;

const port: Typed = { type: datatype('inet_service'), bits: 16, byteorder: 'network' };
const addresses = {
  ip: { type: datatype('ipv4_addr'), bits: 32, byteorder: 'network' },
  ip6: { type: datatype('ipv6_addr'), bits: 128, byteorder: 'network' },
} as const satisfies Record<string, Typed>;

function flagBits(flags: string | readonly string[] | undefined, path: Path): number {
  let bits = 0;
  for (const flag of flags === undefined ? [] : Array.isArray(flags) ? flags : [flags]) {
    const bit = FLAGS[flag as keyof typeof FLAGS];
    if (bit === undefined)
      throw new CompileError(path, `${quoted(flag)}: expected some of ${Object.keys(FLAGS).join(', ')}`);
    bits |= bit;
  }
  return bits;
}

/** Registers with the two ends of a range, or a value twice under one name. */
function loadEnds(expr: Expr, emitter: Emitter): { min: number; max?: number } {
  if (expr.kind !== 'range' && expr.kind !== 'prefix') return { min: emitter.load(expr) };
  const [low, high] = boundsOf(expr);
  const first = emitter.allocate(expr);
  const second = emitter.allocate(expr);
  emitter.into(constant(expr, low), first.slot);
  emitter.into(constant(expr, high), second.slot);
  return { min: first.register, max: second.register };
}

/** What `addr` and `port` of a translation become. */
function evaluatePort(node: Expression | undefined, scope: Scope, path: Path): Expr | undefined {
  if (node === undefined) return undefined;
  const value = scope.evaluate(node, at(path, 'port'), port);
  checkArgument(value, port, at(path, 'port'));
  requireTransport(scope, at(path, 'port'));
  return inByteOrder(value, 'network');
}

/** Ports can only be changed where the packet is known to have some. */
export function requireTransport(scope: Scope, path: Path): void {
  if (scope.protocols.header('transport') === undefined) {
    throw new CompileError(
      path,
      'a match on the transport protocol belongs before this: on meta l4proto, tcp dport or the like',
    );
  }
}

/** Which family an address belongs to: as said, as the table's, or as the matches before tell. */
export function addressFamily(
  said: 'ip' | 'ip6' | undefined,
  scope: Scope,
  path: Path,
): 'ip' | 'ip6' | undefined {
  if (said !== undefined && said !== 'ip' && said !== 'ip6')
    throw new CompileError(at(path, 'family'), 'expected ip or ip6');
  if (said !== undefined) return said;
  if (scope.family === 'ip' || scope.family === 'ip6') return scope.family;
  const network = scope.protocols.header('network');
  return network === headers.ip ? 'ip' : network === headers.ip6 ? 'ip6' : undefined;
}

/** Refuses an address of the one family where the packet is known to be of the other. */
export function requireSameFamily(family: string | undefined, scope: Scope, path: Path): void {
  const network = scope.protocols.header('network');
  if ((network !== headers.ip && network !== headers.ip6) || network.name === family) return;
  throw new CompileError(
    at(path, 'family'),
    `the packet is known to be ${network.name}: expected family ${network.name}`,
  );
}

/** Where each translation makes sense (nft_nat_validate and its like in the kernel). */
const HOOKS: Readonly<Record<string, readonly string[]>> = {
  snat: ['postrouting', 'input'],
  dnat: ['prerouting', 'output'],
  masquerade: ['postrouting'],
  redirect: ['prerouting', 'output'],
};

/** Refuses a translation that the family does not have, or in a base chain that does not translate. */
function requireNat(type: string, scope: Scope, path: Path): void {
  requireFamily(type, NAT_FAMILIES, scope, path);
  const { hook, type: chainType } = scope.chain ?? {};
  if (hook === undefined) return;
  const hooks = HOOKS[type] as readonly string[];
  if (chainType !== 'nat' || !hooks.includes(hook)) {
    throw new CompileError(path, `${type} belongs in a chain of type nat at ${hooks.join(' or ')}`);
  }
}

/** `snat` and `dnat` */
export function evaluateNat(type: 'snat' | 'dnat', node: Nat | null, scope: Scope, path: Path): void {
  const { addr, flags, type_flags: typeFlags } = node ?? {};
  if (node === null || (addr === undefined && node.port === undefined)) {
    throw new CompileError(path, `${type} needs an address or a port to translate to`);
  }
  requireNat(type, scope, path);
  const family = addressFamily(node.family, scope, path);
  if (scope.family !== 'inet' && family !== scope.family) {
    throw new CompileError(
      at(path, 'family'),
      `the table's family is ${scope.family}: it translates no others`,
    );
  }
  if (addr !== undefined && family === undefined) {
    throw new CompileError(path, 'the family of the address is not known: say family ip or ip6');
  }
  if (addr !== undefined) requireSameFamily(family, scope, path);
  const kinds = typeFlags === undefined ? [] : Array.isArray(typeFlags) ? typeFlags : [typeFlags as string];
  const typed = addresses[family ?? 'ip'];
  const want = kinds.includes('concat') || givesPorts(addr) ? withPort(typed) : typed;
  const target = addr === undefined ? undefined : evaluateAddress(addr, want, scope, at(path, 'addr'));
  const to = evaluatePort(node.port, scope, path);
  const bits = flagBits(flags, at(path, 'flags')) | (to === undefined ? 0 : PORT_GIVEN);
  // A port alone is translated for whatever family the table has.
  const number = families[addr === undefined || family === undefined ? scope.family : family].number;
  scope.action((emitter) => {
    emitter.scoped(() => {
      const registers = target === undefined ? {} : loadAddress(target, typed, emitter);
      const ports = to === undefined ? undefined : loadEnds(to, emitter);
      const rest = { type, family: number, ...(bits === 0 ? {} : { flags: bits }) };
      emitter.push({
        name: 'nat',
        ...registers,
        ...(ports && { protoMin: ports.min, ...(ports.max === undefined ? {} : { protoMax: ports.max }) }),
        ...rest,
      });
    });
  });
}

function evaluateAddress(node: Expression, want: Typed, scope: Scope, path: Path): Expr {
  const value = scope.evaluate(node, path, want);
  if (value.kind === 'verdict' || value.kind === 'set')
    throw new CompileError(path, 'an address belongs here');
  const gives = typeOf(value);
  // A named map may hold ports beside the addresses, and no word of the statement says so.
  checkArgument(gives, 'parts' in gives && !('parts' in want) ? withPort(want) : want, path);
  return inByteOrder(value, 'network');
}

/** An address and a port side by side. */
function withPort(address: Typed): Typed & { readonly parts: readonly Typed[] } {
  return { ...address, bits: joinedBits([address, port]), parts: [address, port] };
}

/** What a map gives, in parts; of anything else what it is itself. */
function typeOf(value: Expr): Expr | Typed {
  const data = value.kind === 'map' ? value.set.data : undefined;
  if (data?.kind !== 'value' || data.parts.length < 2) return value;
  return { ...(data.parts[0] as Typed), parts: data.parts } as Typed;
}

/** An anonymous map whose values are concatenations gives an address and a port. */
function givesPorts(node: Expression | undefined): boolean {
  if (typeof node !== 'object' || node === null || !('map' in node)) return false;
  const { data } = (node.map ?? {}) as { data?: unknown };
  const elements = typeof data === 'object' && data !== null && 'set' in data ? data.set : undefined;
  if (!Array.isArray(elements)) return false;
  return elements.some(
    (element) =>
      Array.isArray(element) &&
      typeof element[1] === 'object' &&
      element[1] !== null &&
      'concat' in element[1],
  );
}

interface AddressRegisters {
  addrMin?: number;
  addrMax?: number;
  protoMin?: number;
  protoMax?: number;
}

/** A map may give an address, two ends of an interval, or address and port side by side. */
function loadAddress(target: Expr, typed: Typed, emitter: Emitter): AddressRegisters {
  if (target.kind === 'range' || target.kind === 'prefix') {
    const { min, max } = loadEnds(target, emitter);
    return { addrMin: min, ...(max === undefined ? {} : { addrMax: max }) };
  }
  const data = target.kind === 'map' && target.set.data?.kind === 'value' ? target.set.data : undefined;
  const room = { ...typed, bits: data?.interval ? 2 * typed.bits : typed.bits };
  const { slot } = emitter.allocate(target.kind === 'map' ? room : target);
  emitter.into(target, slot);
  const width = slotsFor(typed.bits);
  const parts = target.kind === 'concat' ? (target as Concat).parts.length : (data?.parts.length ?? 1);
  const interval = data?.interval === true;
  const register = (offset: number) => registerAt(slot + offset);
  if (parts > 1) {
    const end = interval ? { addrMax: register(width + 1), protoMax: register(2 * width + 1) } : {};
    return { addrMin: register(0), protoMin: register(width), ...end };
  }
  return { addrMin: register(0), ...(interval ? { addrMax: register(width) } : {}) };
}

/** `masquerade` and `redirect` */
export function evaluatePortNat(
  type: 'masquerade' | 'redirect',
  node: NatPort | null,
  scope: Scope,
  path: Path,
): void {
  requireNat(type, scope, path);
  const to = evaluatePort(node?.port, scope, path);
  const bits = flagBits(node?.flags, at(path, 'flags')) | (to === undefined ? 0 : PORT_GIVEN);
  scope.action((emitter) => {
    emitter.scoped(() => {
      const ports = to === undefined ? undefined : loadEnds(to, emitter);
      const registers = ports && {
        protoMin: ports.min,
        ...(ports.max === undefined ? {} : { protoMax: ports.max }),
      };
      const instruction: Instruction = {
        name: type === 'masquerade' ? 'masq' : 'redir',
        ...registers,
        ...(bits === 0 ? {} : { flags: bits }),
      };
      emitter.push(instruction);
    });
  });
}
