import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHost, UncloudError } from '../../src/uncloud/index.ts';

test('a host has defaults: shared bridges, forward deny, anonymous sets', () => {
  assert.deepEqual(parseHost({ bridges: { br100: { uplinks: ['vxlan100'] }, br0: {} } }), {
    bridges: {
      br0: { uplinks: [], shared: true, unlisted: 'deny', backend: 'bridge' },
      br100: { uplinks: ['vxlan100'], shared: true, unlisted: 'deny', backend: 'bridge' },
    },
    forward: 'deny',
    sets: 'anonymous',
  });
});

const REFUSED: readonly (readonly [string, unknown, string])[] = [
  ['a list', [], ''],
  ['an unknown version', { version: 2 }, '.version'],
  ['an unknown key', { bridge: {} }, '.bridge'],
  ['an unknown set mode', { sets: 'many' }, '.sets'],
  ['an unknown forward policy', { forward: 'drop' }, '.forward'],
  ['a bridge name over 15 bytes', { bridges: { bridge0123456789: {} } }, '.bridges.bridge0123456789'],
  ['a bridge that is no object', { bridges: { br0: true } }, '.bridges.br0'],
  ['an unknown word for unlisted', { bridges: { br0: { unlisted: 'drop' } } }, '.bridges.br0.unlisted'],
  ['an unknown backend', { bridges: { br0: { backend: 'ovs' } } }, '.bridges.br0.backend'],
  ['shared as text', { bridges: { br0: { shared: 'no' } } }, '.bridges.br0.shared'],
  ['uplinks as text', { bridges: { br0: { uplinks: 'eth0' } } }, '.bridges.br0.uplinks'],
  ['an uplink with a star', { bridges: { br0: { uplinks: ['eth*'] } } }, '.bridges.br0.uplinks[0]'],
  [
    'an uplink of two bridges',
    { bridges: { a: { uplinks: ['e'] }, b: { uplinks: ['e'] } } },
    '.bridges.b.uplinks',
  ],
  ['an uplink that is a bridge', { bridges: { a: {}, b: { uplinks: ['a'] } } }, '.bridges.b.uplinks'],
  ['a multicast bridge MAC', { bridges: { br0: { mac: '01:00:00:00:00:01' } } }, '.bridges.br0.mac'],
];

for (const [what, value, path] of REFUSED) {
  test(`a host with ${what} is refused`, () => {
    assert.throws(
      () => parseHost(value),
      (error) => error instanceof UncloudError && error.key === 'host' && error.path === path,
    );
  });
}
