import type { Typed } from '../bytecode/index.ts';
import { datatype } from '../datatype/index.ts';
import type {
  Ct,
  Expression,
  Fib,
  Ipsec,
  Jhash,
  Numgen,
  Osf,
  Rt,
  Socket,
  Symhash,
  TunnelMeta,
} from '../model/index.ts';
import {
  fibPresent,
  findCt,
  findFibFlag,
  findFibResult,
  findIpsec,
  findMeta,
  findRt,
  findSocket,
  headers,
  lookup,
  tunnelKeys,
} from '../protocol/index.ts';
import { at, CompileError, type Path } from './error.ts';
import type { Hash, Load } from './expr.ts';
import { requireFamily } from './family.ts';
import { evaluateLoadable } from './loadable.ts';
import { found } from './payload.ts';
import type { Scope } from './scope.ts';
import { ctLoad, metaLoad, rtLoad, typedSelector } from './selector.ts';
import { MAX_8, MAX_32, whole } from './whole.ts';

/** `{ meta: { key } }` */
export function evaluateMeta(node: { readonly key: string }, scope: Scope, path: Path | undefined): Load {
  const place = at(at(path, 'meta'), 'key');
  if (node?.key === 'nfproto' && scope.family !== 'inet') {
    throw new CompileError(
      place,
      `nfproto tells something in the family inet alone, and the table's is ${scope.family}`,
    );
  }
  return metaLoad(found(() => findMeta(node.key), place));
}

/** `{ ct: { key, dir, family } }` */
export function evaluateCt(node: Ct, scope: Scope, path: Path | undefined): Load {
  const place = at(path, 'ct');
  const name = node.family === undefined ? node.key : `${node.family} ${node.key}`;
  const selector = found(() => findCt(name), at(place, 'key'));
  if (selector.direction === 'required' && node.dir === undefined) {
    throw new CompileError(place, `ct ${node.key} needs a direction: dir original or reply`);
  }
  if (selector.direction === 'none' && node.dir !== undefined) {
    throw new CompileError(at(place, 'dir'), `ct ${node.key} has no direction`);
  }
  const known = networkFamily(scope);
  if (selector.family !== undefined && known !== undefined && known !== selector.family)
    throw new CompileError(
      at(place, 'key'),
      `the packet is known to be ${known}: no address of ${selector.family} can be equal`,
    );
  return ctLoad(selector, node.dir, ctType(selector.depends, scope, place));
}

function ctType(depends: 'address' | 'port' | undefined, scope: Scope, path: Path) {
  if (depends === 'port') return { type: datatype('inet_service'), bits: 16 };
  if (depends === undefined) return undefined;
  const network = scope.protocols.header('network');
  if (network === headers.ip) return { type: datatype('ipv4_addr'), bits: 32 };
  if (network === headers.ip6) return { type: datatype('ipv6_addr'), bits: 128 };
  throw new CompileError(path, 'the family of the address is not known: say family ip or ip6');
}

/** `{ rt: { key, family } }` */
export function evaluateRt(node: Rt, scope: Scope, path: Path | undefined): Load {
  const place = at(path, 'rt');
  const family = node.family === 'ip6' ? node.family : (networkFamily(scope) ?? node.family);
  if (family === 'ip6' && scope.family === 'ip')
    throw new CompileError(at(place, 'family'), 'packets of this table have no next hop of ip6: expected ip');
  if (node.key === 'nexthop' && family === undefined) {
    throw new CompileError(place, 'the family of the next hop is not known: say family ip or ip6');
  }
  const selector = found(() => findRt(node.key, family), at(place, 'key'));
  return rtLoad(selector);
}

function networkFamily(scope: Scope): 'ip' | 'ip6' | undefined {
  const network = scope.protocols.header('network');
  return network === headers.ip ? 'ip' : network === headers.ip6 ? 'ip6' : undefined;
}

/** `{ fib: { result, flags } }` */
export function evaluateFib(node: Fib, path: Path | undefined): Load {
  const place = at(path, 'fib');
  const selector = found(() => findFibResult(node.result), at(place, 'result'));
  const names = Array.isArray(node.flags) ? node.flags : [node.flags];
  let flags = node.result === 'check' ? fibPresent : 0;
  for (const name of names as string[]) flags |= found(() => findFibFlag(name), at(place, 'flags'));
  if ((flags & 3) === 3 || (flags & 3) === 0)
    throw new CompileError(at(place, 'flags'), 'either saddr or daddr belongs here');
  const interfaces = findFibFlag('iif') | findFibFlag('oif');
  if ((flags & interfaces) === interfaces)
    throw new CompileError(at(place, 'flags'), 'iif and oif are two ways to ask: expected one of them');
  const result = (['oif', 'oifname', 'type'] as const)[selector.key - 1] as 'oif';
  return {
    kind: 'load',
    ...typedSelector(selector),
    source: ['fib', node.result],
    load: (dreg) => ({ name: 'fib', dreg, result, flags }),
  };
}

/** `{ socket: { key, level } }` */
export function evaluateSocket(node: Socket, path: Path | undefined): Load {
  const place = at(path, 'socket');
  const selector = found(() => findSocket(node.key), at(place, 'key'));
  const isYesOrNo = node.key === 'transparent' || node.key === 'wildcard';
  const level = node.key === 'cgroupv2' ? { level: whole(node.level ?? 0, MAX_8, at(place, 'level')) } : {};
  return {
    kind: 'load',
    ...typedSelector(selector),
    ...(isYesOrNo ? { greatest: 1n } : {}),
    source: ['socket', node.key],
    load: (dreg) => ({ name: 'socket', key: node.key, dreg, ...level }),
  };
}

/** `{ osf: { key, ttl } }` */
export function evaluateOsf(node: Osf, path: Path | undefined): Load {
  const ttl = { exact: 0, loose: 1, skip: 2 }[(node.ttl ?? 'exact') as string];
  if (ttl === undefined) throw new CompileError(at(at(path, 'osf'), 'ttl'), 'expected loose or skip');
  const version = node.key === 'version' ? { flags: 1 } : {};
  return {
    kind: 'load',
    type: datatype('string'),
    bits: 128,
    byteorder: 'host',
    source: ['osf', node.key],
    load: (dreg) => ({ name: 'osf', dreg, ttl, ...version }),
  };
}

/** `{ ipsec: { key, dir, spnum, family } }` */
export function evaluateIpsec(node: Ipsec, scope: Scope, path: Path | undefined): Load {
  const place = at(path, 'ipsec');
  requireFamily('ipsec', ['ip', 'ip6', 'inet'], scope, place);
  const isAddress = node.key === 'saddr' || node.key === 'daddr';
  const selector = found(
    () => findIpsec(node.key, node.family ?? (isAddress ? networkFamily(scope) : undefined)),
    at(place, 'key'),
  );
  if (node.dir !== 'in' && node.dir !== 'out') throw new CompileError(at(place, 'dir'), 'expected in or out');
  const spnum = whole(node.spnum ?? 0, MAX_8, at(place, 'spnum'));
  const key = (['unspec', 'daddr4', 'daddr6', 'saddr4', 'saddr6', 'reqid', 'spi'] as const)[
    selector.key
  ] as 'spi';
  return {
    kind: 'load',
    ...typedSelector(selector),
    source: ['ipsec', selector.name],
    load: (dreg) => ({ name: 'xfrm', dreg, key, dir: node.dir, spnum }),
  };
}

const number: Typed = { type: datatype('integer'), bits: 32, byteorder: 'host' };

/** `{ numgen: { mode, mod, offset } }` */
export function evaluateNumgen(node: Numgen, path: Path | undefined): Load {
  const place = at(path, 'numgen');
  const modulus = positive(node.mod, at(place, 'mod'));
  const offset = whole(node.offset ?? 0, MAX_32, at(place, 'offset'));
  if (node.mode !== 'inc' && node.mode !== 'random')
    throw new CompileError(at(place, 'mode'), 'expected inc or random');
  const type = node.mode;
  return {
    kind: 'load',
    ...number,
    greatest: BigInt(modulus + offset - 1),
    source: ['numgen', type],
    load: (dreg) => ({ name: 'numgen', dreg, modulus, type, offset }),
  };
}

/** `{ symhash: { mod, offset } }` */
export function evaluateSymhash(node: Symhash, path: Path | undefined): Load {
  const modulus = positive(node.mod, at(at(path, 'symhash'), 'mod'));
  const offset = whole(node.offset ?? 0, MAX_32, at(at(path, 'symhash'), 'offset'));
  return {
    kind: 'load',
    ...number,
    greatest: BigInt(modulus + offset - 1),
    source: ['symhash', 'symhash'],
    load: (dreg) => ({ name: 'hash', dreg, modulus, offset, type: 'sym' }),
  };
}

/** `{ jhash: { expr, mod, seed, offset } }` */
export function evaluateJhash(node: Jhash, scope: Scope, path: Path | undefined): Hash {
  const place = at(path, 'jhash');
  const modulus = positive(node.mod, at(place, 'mod'));
  const offset = whole(node.offset ?? 0, MAX_32, at(place, 'offset'));
  return {
    kind: 'hash',
    ...number,
    arg: evaluateLoadable(node.expr as Expression, scope, at(place, 'expr')),
    modulus,
    seed: node.seed === undefined ? undefined : whole(node.seed, MAX_32, at(place, 'seed')),
    offset,
    greatest: BigInt(modulus + offset - 1),
  };
}

function positive(value: number, path: Path): number {
  return whole(value, MAX_32, path, 1);
}

/** `{ tunnel: { key } }` */
export function evaluateTunnel(node: TunnelMeta, path: Path | undefined): Load {
  const selector = found(() => lookup('tunnel key', tunnelKeys, node.key), at(at(path, 'tunnel'), 'key'));
  const key = (['path', 'id'] as const)[selector.key] as 'id';
  return {
    kind: 'load',
    ...typedSelector(selector),
    source: ['tunnel', key],
    load: (dreg) => ({ name: 'tunnel', key, dreg }),
  };
}
