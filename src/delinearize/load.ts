import {
  CT_KEYS,
  FIB_FLAGS,
  type InstructionNamed,
  META_KEYS,
  RT_KEYS,
  type Typed,
} from '../bytecode/index.ts';
import { datatype } from '../datatype/index.ts';
import type { Expression } from '../model/index.ts';
import {
  ctByKey,
  fibResults,
  ipsecKeys,
  metaByKey,
  rtKeys,
  type Selector,
  selectorByKey,
  socketKeys,
  tunnelKeys,
} from '../protocol/index.ts';
import type { Described } from './described.ts';
import type { ProtocolContext } from './protocol-context.ts';
import { Inexpressible, type LoadInstruction } from './term.ts';

const NUMBER: Typed = { type: datatype('integer'), bits: 32, byteorder: 'host' };

function typed(selector: Selector): Typed {
  return { type: datatype(selector.type), bits: selector.bits, byteorder: selector.byteorder };
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Inexpressible('the key is not known');
  return value;
}

/** What a meta key is called, and how its values are to be read. */
export function describeMeta(key: InstructionNamed<'meta'>['key']): Described {
  const selector = known(metaByKey(META_KEYS.indexOf(key)));
  return { ...typed(selector), node: { meta: { key: selector.name } } as Expression, meta: selector.name };
}

/** What a conntrack key is called; addresses are as wide as the packet's network protocol has them. */
export function describeCt(instruction: InstructionNamed<'ct'>, context: ProtocolContext): Described {
  const selector = known(ctByKey(CT_KEYS.indexOf(instruction.key)));
  const { direction } = instruction;
  const node = {
    ct: { key: selector.name, ...(direction === undefined ? {} : { dir: direction }) },
  } as Expression;
  if (selector.depends === 'port')
    return { node, type: datatype('inet_service'), bits: 16, byteorder: 'network' };
  if (selector.depends === undefined) return { node, ...typed(selector), ct: selector.name };
  const { network } = context;
  if (network === undefined) throw new Inexpressible('the family of the address is not known');
  return network === 'ip'
    ? { node, type: datatype('ipv4_addr'), bits: 32, byteorder: 'network' }
    : { node, type: datatype('ipv6_addr'), bits: 128, byteorder: 'network' };
}

function describeRt({ key }: InstructionNamed<'rt'>): Described {
  const selector = known(Object.values(rtKeys).find((entry) => entry.key === RT_KEYS.indexOf(key)));
  if (selector.family === undefined)
    return { node: { rt: { key: selector.name } } as Expression, ...typed(selector) };
  return { node: { rt: { key: 'nexthop', family: selector.family } }, ...typed(selector) };
}

const PRESENT = 1 << FIB_FLAGS.indexOf('present');

function describeFib({ result, flags }: InstructionNamed<'fib'>): Described {
  const check = (flags & PRESENT) !== 0;
  const name = check ? 'check' : result;
  if (flags >= PRESENT * 2 || (check && result !== 'oif')) throw new Inexpressible('unknown flags');
  const selector = known(fibResults[name]);
  const names = FIB_FLAGS.filter((flag, bit) => flag !== 'present' && flags & (1 << bit));
  return { node: { fib: { result, flags: names } } as Expression, ...typed(selector) };
}

function describeSocket({ key, level }: InstructionNamed<'socket'>): Described {
  const at = key === 'cgroupv2' ? { level: level ?? 0 } : {};
  return { node: { socket: { key, ...at } } as Expression, ...typed(known(socketKeys[key])) };
}

function describeOsf({ ttl = 0, flags = 0 }: InstructionNamed<'osf'>): Described {
  const how = [{}, { ttl: 'loose' }, { ttl: 'skip' }][ttl];
  if (how === undefined || flags > 1) throw new Inexpressible('unknown flags');
  const node = { osf: { key: flags ? 'version' : 'name', ...how } } as Expression;
  return { node, type: datatype('string'), bits: 128, byteorder: 'host' };
}

function describeNumgen({ type, modulus, offset }: InstructionNamed<'numgen'>): Described {
  return { ...NUMBER, node: { numgen: { mode: type, mod: modulus, offset: offset ?? 0 } } };
}

function describeXfrm({ key, dir, spnum }: InstructionNamed<'xfrm'>): Described {
  const number = ['unspec', 'daddr4', 'daddr6', 'saddr4', 'saddr6', 'reqid', 'spi'].indexOf(key);
  const selector = known(Object.values(ipsecKeys).find((entry) => entry.key === number));
  const name =
    selector.family === undefined ? selector.name : selector.name.slice(selector.family.length + 1);
  const family = selector.family === undefined ? {} : { family: selector.family };
  return {
    node: { ipsec: { key: name, ...family, dir, spnum: spnum ?? 0 } } as Expression,
    ...typed(selector),
  };
}

function describeTunnel({ key, mode }: InstructionNamed<'tunnel'>): Described {
  if (mode !== undefined && mode !== 'none') throw new Inexpressible('a tunnel mode');
  const selector = known(selectorByKey(tunnelKeys, key === 'path' ? 0 : 1));
  return { node: { tunnel: { key } }, ...typed(selector) };
}

/** A hash: of the flow, or (`expr`) of another expression. */
export function describeHash(instruction: InstructionNamed<'hash'>, expr?: Expression): Described {
  const { modulus, seed, offset } = instruction;
  const common = { mod: modulus, ...(offset ? { offset } : {}) };
  if (expr === undefined) return { ...NUMBER, node: { symhash: common } };
  return { ...NUMBER, node: { jhash: { ...common, expr, ...(seed === undefined ? {} : { seed }) } } };
}

/** A load that is neither payload nor extension header. */
export function describeLoad(instruction: LoadInstruction, context: ProtocolContext): Described {
  switch (instruction.name) {
    case 'meta':
      return describeMeta(instruction.key);
    case 'ct':
      return describeCt(instruction, context);
    case 'rt':
      return describeRt(instruction);
    case 'fib':
      return describeFib(instruction);
    case 'socket':
      return describeSocket(instruction);
    case 'osf':
      return describeOsf(instruction);
    case 'numgen':
      return describeNumgen(instruction);
    case 'hash':
      return describeHash(instruction);
    case 'xfrm':
      return describeXfrm(instruction);
    case 'tunnel':
      return describeTunnel(instruction);
  }
}
