import { CT_KEYS, META_KEYS, RT_KEYS } from '../bytecode/index.ts';
import { type Datatype, datatype } from '../datatype/index.ts';
import type { CtSelector, MetaSelector, RtSelector, Selector } from '../protocol/index.ts';
import type { Load } from './expr.ts';

/** The type, width and byte order of a selector. */
export function typedSelector(selector: Selector): {
  type: Datatype;
  bits: number;
  byteorder: 'host' | 'network';
} {
  return { type: datatype(selector.type), bits: selector.bits, byteorder: selector.byteorder };
}

/** Loads of meta keys: there are few, and most rules begin with some. */
const metaLoads = new WeakMap<MetaSelector, Load>();

export function metaLoad(selector: MetaSelector): Load {
  let found = metaLoads.get(selector);
  if (found === undefined) {
    const key = META_KEYS[selector.key] as (typeof META_KEYS)[number];
    found = Object.freeze<Load>({
      kind: 'load',
      ...typedSelector(selector),
      source: ['meta', selector.name],
      load: (dreg) => ({ name: 'meta', dreg, key }),
    });
    metaLoads.set(selector, found);
  }
  return found;
}

export function ctLoad(
  selector: CtSelector,
  direction: 'original' | 'reply' | undefined,
  typed: { type: Datatype; bits: number } | undefined,
): Load {
  const key = CT_KEYS[selector.key] as (typeof CT_KEYS)[number];
  return {
    kind: 'load',
    ...(typed ? { ...typed, byteorder: selector.byteorder } : typedSelector(selector)),
    source: ['ct', selector.name],
    load: (dreg) => ({ name: 'ct', dreg, key, ...(direction === undefined ? {} : { direction }) }),
  };
}

export function rtLoad(selector: RtSelector): Load {
  const key = RT_KEYS[selector.key] as (typeof RT_KEYS)[number];
  return {
    kind: 'load',
    ...typedSelector(selector),
    source: ['rt', selector.name],
    load: (dreg) => ({ name: 'rt', dreg, key }),
  };
}
