import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nftjs, withFiles } from '../support/cli.ts';

const saddr = { payload: { protocol: 'ip', field: 'saddr' } };
const line = (expr: readonly object[], rest: object = {}) =>
  JSON.stringify({ family: 'ip', table: 't', chain: 'c', base: '', sets: [], objects: [], expr, ...rest });

test('--jsonl answers each line, in order, whatever became of the others', async () => {
  const { code, out, err } = await nftjs(
    ['compile', '--jsonl'],
    [
      line([{ match: { op: '==', left: saddr, right: '192.0.2.1' } }, { accept: null }]),
      line([{ match: { op: '==', left: saddr, right: 'nonsense' } }]),
      'no JSON',
      '',
      line([
        { match: { op: '==', left: saddr, right: { set: ['192.0.2.1', '192.0.2.2'] } } },
        { drop: null },
      ]),
      line([{ match: { op: '==', left: saddr, right: '@s' } }], { sets: [{ name: 's', type: 'ipv4_addr' }] }),
    ].join('\n'),
  );
  assert.deepEqual([code, err], [0, '']);
  const answers = out
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as { bytecode?: string[]; error?: string });
  assert.equal(answers.length, 5);
  const [first, second, third, fourth, fifth] = answers;
  assert.deepEqual(first, {
    bytecode: [
      'ip t c',
      '[ payload load 4b @ network header + 12 => reg 1 ]',
      '[ cmp eq reg 1 0x010200c0 ]',
      '[ immediate reg 0 accept ]',
    ],
  });
  assert.match(second?.error ?? '', /nonsense/);
  assert.ok(third?.error);
  assert.ok(fourth?.bytecode?.some((text) => text.includes('element')));
  assert.ok(fifth?.bytecode?.includes('[ lookup reg 1 set s ]'));
});

test('a file of commands compiles rule by rule, against the sets it declares', () =>
  withFiles(async (write) => {
    const place = { family: 'ip', table: 't' };
    const rule = (...expr: readonly object[]) => ({ add: { rule: { ...place, chain: 'c', expr } } });
    const file = write('rules.json', {
      nftables: [
        { add: { table: { family: 'ip', name: 't' } } },
        { add: { chain: { ...place, name: 'c' } } },
        { add: { set: { ...place, name: 's', type: 'ipv4_addr' } } },
        rule({ match: { op: '==', left: saddr, right: '@s' } }, { accept: null }),
        rule({ drop: null }),
      ],
    });
    const { code, out, err } = await nftjs(['compile', file]);
    assert.deepEqual([code, err], [0, '']);
    assert.ok(out.indexOf('lookup reg 1 set s') < out.indexOf('immediate reg 0 drop'));
    assert.match(out, /lookup reg 1 set s/);
  }));

test('a rule that cannot be meant is exit code 1, with its place', () =>
  withFiles(async (write) => {
    const bad = { match: { op: '==', left: saddr, right: '@none' } };
    const rule = { family: 'ip', table: 't', chain: 'c', expr: [bad] };
    const { code, out, err } = await nftjs(['compile', write('bad.json', { nftables: [{ add: { rule } }] })]);
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /nftables\[0\]\.add\.rule\.expr\[0\]\.match\.right/);
  }));

test('--jsonl outlives lines that are JSON, and no rules', async () => {
  const odd = ['null', '5', '[]', '"text"', '{}', 'true'];
  const { code, out } = await nftjs(
    ['compile', '--jsonl'],
    `${[...odd, line([{ accept: null }])].join('\r\n')}`,
  );
  const answers = out
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text) as { bytecode?: string[]; error?: string });
  assert.equal(code, 0);
  assert.equal(answers.length, odd.length + 1);
  for (const { error } of answers.slice(0, -1)) assert.match(error ?? '', /family, table, chain/);
  assert.deepEqual(answers.at(-1), { bytecode: ['ip t c', '[ immediate reg 0 accept ]'] });
});
