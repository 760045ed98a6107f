/** Compiled, never run: what the types of sets and maps take as elements, and what they refuse. */
import {
  accept,
  cidr,
  concat,
  drop,
  element,
  ether,
  jump,
  meta,
  prefix,
  range,
  type TableBuilder,
  table,
} from '../../src/model/index.ts';

const filter = table('bridge', 'filter');

// A concatenation: one value for each field, of the field's type.
filter.set('vms', {
  type: ['ifname', 'ether_addr', 'ipv6_addr'],
  elements: [['v0', '02:00:f0:a9:c4:4f', '2001:db8::1'], '*'],
});
filter.set('vms', {
  type: ['ifname', 'ether_addr', 'ipv6_addr'],
  // @ts-expect-error a field is missing
  elements: [['v0', '02:00:f0:a9:c4:4f']],
});
filter.set('vms', {
  type: ['ifname', 'ether_addr', 'ipv6_addr'],
  // @ts-expect-error a field too many
  elements: [['v0', '02:00:f0:a9:c4:4f', '2001:db8::1', '2001:db8::2']],
});
filter.set('vms', {
  type: ['ifname', 'ether_addr'],
  // @ts-expect-error an interface is a name, not an index
  elements: [[1, '02:00:f0:a9:c4:4f']],
});
filter.set('vms', {
  type: ['ifname', 'ether_addr'],
  // @ts-expect-error not a concatenation at all
  elements: ['v0'],
});

// Services have names and numbers, addresses do not.
filter.set('ports', { type: 'inet_service', elements: [22, 'ssh'] });
filter.set('pairs', { type: ['ipv4_addr', 'inet_service'], elements: [['192.0.2.1', 22]] });
// @ts-expect-error a port is no boolean
filter.set('ports', { type: 'inet_service', elements: [true] });
// @ts-expect-error an address is no number
filter.set('addresses', { type: 'ipv4_addr', elements: [3221225985] });
// @ts-expect-error there is no such type
filter.set('addresses', { type: 'ipv5_addr', elements: ['192.0.2.1'] });

// Only interval sets take ranges and prefixes.
filter.set('nets', {
  type: 'ipv4_addr',
  flags: ['interval'],
  elements: ['192.0.2.1', cidr('10.0.0.0/8'), prefix('10.0.0.0', 8), range('192.0.2.1', '192.0.2.9')],
});
filter.set('nets', {
  type: ['ipv4_addr', 'inet_service'],
  flags: ['interval', 'timeout'],
  elements: [[cidr('10.0.0.0/8'), range(1, 1023)]],
});
filter.set('nets', { type: 'ipv4_addr', flags: 'interval', elements: [cidr('10.0.0.0/8')] });
// @ts-expect-error not an interval set
filter.set('nets', { type: 'ipv4_addr', elements: [cidr('10.0.0.0/8')] });
// @ts-expect-error not an interval set
filter.set('nets', { type: 'ipv4_addr', flags: ['timeout'], elements: [range('192.0.2.1', '192.0.2.9')] });
// @ts-expect-error a prefix is no port
filter.set('nets', { type: 'inet_service', flags: ['interval'], elements: [cidr('10.0.0.0/8')] });
// @ts-expect-error a range of ports is none of addresses
filter.set('nets', { type: 'ipv4_addr', flags: ['interval'], elements: [range(1, 2)] });
filter.set('nets', {
  type: ['ipv4_addr', 'inet_service'],
  // @ts-expect-error not an interval set
  elements: [[cidr('10.0.0.0/8'), 22]],
});

// An element with properties has the same value.
filter.set('seen', { type: 'ipv4_addr', elements: [element('192.0.2.1', { timeout: 60, comment: 'x' })] });
filter.set('seen', {
  type: ['ifname', 'inet_service'],
  elements: [element(['v0', 22], { counter: null })],
});
// @ts-expect-error the value has the wrong type
filter.set('seen', { type: 'ipv4_addr', elements: [element(1, { timeout: 60 })] });
filter.set('seen', {
  type: ['ifname', 'inet_service'],
  // @ts-expect-error a field is missing
  elements: [element(['v0'], { timeout: 60 })],
});
// @ts-expect-error there is no such property
element('192.0.2.1', { timeuot: 60 });

// Maps give values of their type, verdict maps verdicts, object maps names.
filter.map('ports', {
  type: 'ifname',
  map: 'verdict',
  elements: [
    ['v0', jump('v0')],
    ['*', drop()],
  ],
});
filter.map('marks', {
  type: 'ipv4_addr',
  map: 'mark',
  elements: [
    ['192.0.2.1', 1],
    ['192.0.2.2', '0x2'],
  ],
});
filter.map('nat', {
  type: 'inet_service',
  map: ['ipv4_addr', 'inet_service'],
  elements: [[80, ['192.0.2.1', 8080]]],
});
filter.map('counters', { type: 'ipv4_addr', map: 'counter', elements: [['192.0.2.1', 'web']] });
filter.map('nets', {
  type: ['ipv4_addr', 'ifname'],
  map: 'verdict',
  flags: ['interval'],
  elements: [[[cidr('10.0.0.0/8'), 'v0'], accept()]],
});
// @ts-expect-error a verdict map has verdicts
filter.map('ports', { type: 'ifname', map: 'verdict', elements: [['v0', 'v0']] });
// @ts-expect-error an element of a map is a pair
filter.map('ports', { type: 'ifname', map: 'verdict', elements: ['v0'] });
// @ts-expect-error a mark is no verdict
filter.map('marks', { type: 'ipv4_addr', map: 'mark', elements: [['192.0.2.1', accept()]] });
// @ts-expect-error an object has a name
filter.map('counters', { type: 'ipv4_addr', map: 'counter', elements: [['192.0.2.1', 1]] });
filter.map('nat', {
  type: 'inet_service',
  map: ['ipv4_addr', 'inet_service'],
  // @ts-expect-error a field of the value is missing
  elements: [[80, ['192.0.2.1']]],
});
// @ts-expect-error not an interval map
filter.map('nets', { type: 'ipv4_addr', map: 'verdict', elements: [[cidr('10.0.0.0/8'), accept()]] });

// What a table knows of its sets holds for elements added later.
const typed = table('inet', 'filter')
  .set('admins', { type: ['ipv4_addr', 'inet_service'] })
  .map('dispatch', { type: 'ifname', map: 'verdict' });
typed.elements('admins', [['192.0.2.1', 22]]).elements('dispatch', [['v0', accept()]]);
// @ts-expect-error there is no such set
typed.elements('admin', [['192.0.2.1', 22]]);
// @ts-expect-error the value has the wrong type
typed.elements('admins', [['192.0.2.1', false]]);
// @ts-expect-error a verdict map has verdicts
typed.element('dispatch', [['v0', 'accept']]);

// The width of an expression's type is not known here: the compiler checks.
filter.set('any', { type: { typeof: concat(meta.iifname, ether.saddr) }, elements: [['v0', '02::']] });

// Whatever sets it has, a table is a table.
export const untyped: TableBuilder = typed;

// Words that nft does not have.
// @ts-expect-error no such hook
filter.chain('c', { type: 'filter', hook: 'preruting', priority: 0 });
// @ts-expect-error a base chain needs a priority
filter.chain('c', { type: 'filter', hook: 'prerouting' });
// @ts-expect-error a base chain needs a hook
filter.chain('c', { type: 'filter', priority: 0, comment: 'x' });
// @ts-expect-error no such field
ether.sadr;
// @ts-expect-error no such key
meta.iifnam;
