import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { date, hour } from '../../../src/datatype/index.ts';

const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

test('dates and hours are local time', () => {
  process.env.TZ = 'UTC-2';
  assert.equal(date.parse('2019-06-22 12:00:00'), 1_561_197_600_000_000_000n);
  assert.equal(date.parse('2019-06-22 12:00'), 1_561_197_600_000_000_000n);
  assert.equal(date.parse('2019-06-22'), 1_561_154_400_000_000_000n);
  assert.equal(date.parse('1561197600'), 1_561_197_600_000_000_000n);
  assert.equal(date.format(1_561_197_600_000_000_000n), '2019-06-22 12:00:00');
  assert.equal(date.formatText?.(1_561_197_600_000_000_001n), '"2019-06-22 12:00:00.000000001"');
  assert.equal(hour.parse('17:00'), 54_000n);
  assert.equal(hour.parse('17:00:20'), 54_020n);
  assert.equal(hour.parse('01:00'), 82_800n);
  assert.equal(hour.parse(3600), 3600n);
  assert.equal(hour.format(3600n), '03:00');
  assert.equal(hour.formatText?.(3601n), '"03:00:01"');
});

test('an hour stays within the day west of Greenwich too', () => {
  process.env.TZ = 'UTC+5';
  assert.equal(hour.parse('23:00'), 14_400n);
  assert.equal(hour.format(14_400n), '23:00');
});

test('an hour past the end of the day is listed as the number it is', () => {
  assert.equal(hour.format(86_400n), 86_400);
});
