import type { Ruleset, RulesetElement } from '../../../../src/index.ts';
import { base, chain, nothing, rows, table } from '../pairs.ts';

const titled = (node: object, ...items: RulesetElement[]): Ruleset => ({
  nftables: [{ table: { family: 'inet', name: 't', ...node } }, ...items],
});

rows('tables', [
  ['a new one', nothing, table(chain('c')), ['add table t', 'add chain c']],
  ['the same', table(chain('c')), table(chain('c')), []],
  ['handles do not matter', titled({ handle: 7 }, chain('c', { handle: 3 })), table(chain('c')), []],
  ['dormant, in place', table(), titled({ flags: ['dormant'] }), ['add table t {"flags":["dormant"]}']],
  ['no longer dormant, in place', titled({ flags: ['dormant'] }), table(), ['add table t']],
  ['one flag alone or in a list', titled({ flags: ['dormant'] }), titled({ flags: 'dormant' }), []],
  [
    'dormant, with a base chain that comes: anew',
    table(chain('c')),
    titled({ flags: ['dormant'] }, chain('c'), base('b')),
    [
      'delete table t',
      'add table t {"flags":["dormant"]}',
      'add chain c',
      'add chain b {"type":"filter","hook":"input","prio":0,"policy":"accept"}',
    ],
  ],
  [
    'an owner: anew',
    table(chain('c')),
    titled({ flags: 'owner' }, chain('c')),
    ['delete table t', 'add table t {"flags":"owner"}', 'add chain c'],
  ],
  [
    'a comment: anew',
    table(chain('c')),
    titled({ comment: 'x' }, chain('c')),
    ['delete table t', 'add table t {"comment":"x"}', 'add chain c'],
  ],
]);
