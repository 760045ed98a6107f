import type { Shape } from '../linearize/index.ts';

/** What names any object. */
const named: Shape = { family: 'text', table: 'text', name: 'text', comment: 'text' };
const set: Shape = {
  ...named,
  type: 'any',
  map: 'any',
  flags: 'texts',
  policy: 'text',
  timeout: 'number',
  'gc-interval': 'number',
  size: 'whole',
  'auto-merge': 'yes or no',
  stmt: 'list',
};

/** What the keys of an object hold; it may have others, as later versions of nft list them. */
export const objectShapes: Readonly<Record<string, Shape>> = {
  ruleset: { family: 'text' },
  table: { ...named, flags: 'texts' },
  chain: {
    ...named,
    type: 'text',
    hook: 'text',
    prio: 'text or whole',
    policy: 'text',
    dev: 'texts',
    newname: 'text',
  },
  rule: { ...named, chain: 'text', index: 'whole', expr: 'list' },
  set,
  map: set,
  element: named,
  flowtable: { ...named, hook: 'text', prio: 'text or whole', dev: 'texts', flags: 'texts' },
  counter: named,
  quota: named,
  limit: named,
  connlimit: { ...named, count: 'whole', flags: 'whole' },
  'ct helper': { ...named, type: 'text', protocol: 'text or whole!', l3proto: 'text' },
  'ct timeout': { ...named, protocol: 'text or whole', l3proto: 'text', policy: 'object' },
  'ct expectation': {
    ...named,
    protocol: 'text or whole',
    l3proto: 'text',
    dport: 'whole',
    timeout: 'whole',
    size: 'whole',
  },
  secmark: { ...named, context: 'text' },
  tunnel: {
    ...named,
    id: 'whole',
    'src-ipv4': 'text',
    'dst-ipv4': 'text',
    'src-ipv6': 'text',
    'dst-ipv6': 'text',
    sport: 'whole',
    dport: 'whole',
    tos: 'whole',
    ttl: 'whole',
    type: 'text',
    tunnel: 'object',
  },
  synproxy: { ...named, mss: 'whole', wscale: 'whole', flags: 'texts' },
};
