import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errnoAdvice, errnoName } from '../../src/netlink/errno.ts';

test('numbers get the names that nf_tables means', () => {
  const names = [1, 2, 11, 16, 17, 22, 23, 85, 90, 95, 105, 524].map(errnoName);
  assert.deepEqual(names, [
    'EPERM',
    'ENOENT',
    'EAGAIN',
    'EBUSY',
    'EEXIST',
    'EINVAL',
    'ENFILE',
    'ERESTART',
    'EMSGSIZE',
    'EOPNOTSUPP',
    'ENOBUFS',
    'ENOTSUPP',
  ]);
  assert.equal(errnoName(9999), 'E9999');
});

test('the errors of everyday work come with advice', () => {
  for (const code of ['ENOENT', 'EEXIST', 'EBUSY', 'EPERM', 'ENOBUFS', 'ERESTART', 'ENFILE', 'EMSGSIZE']) {
    assert.match(errnoAdvice(code) ?? '', /\w{3,} \w+ \w+/, code);
  }
  assert.equal(errnoAdvice('EINVAL'), undefined);
});
