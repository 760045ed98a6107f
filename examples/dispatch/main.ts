/**
 * A chain a service, reached by one lookup in a verdict map instead of a rule for each port: the cost does not
 * grow with the number of services, and a service opens or closes by an element.
 *
 *   node --import tsx examples/dispatch/main.ts [--netns PATH]
 */
import { parseArgs } from 'node:util';
import {
  accept,
  connect,
  counter,
  drop,
  dynset,
  formatRuleset,
  ip,
  jump,
  limit,
  table,
  tcp,
  transaction,
} from 'nftjs';

const { netns } = parseArgs({ options: { netns: { type: 'string' } } }).values;

const name = { family: 'inet', name: 'services' } as const;
const services = table(name.family, name.name)
  .set('guests', { type: 'ipv4_addr', flags: ['dynamic', 'timeout'], size: 65536, timeout: 600 })
  .chain('ssh')
  .chain('web')
  .map('services', {
    type: 'inet_service',
    map: 'verdict',
    elements: [
      [22, jump('ssh')],
      [80, jump('web')],
      [443, jump('web')],
    ],
  })
  .chain('input', { type: 'filter', hook: 'input', priority: 'filter', policy: 'accept' })
  .rule('input', tcp.dport.vmap('@services'))
  .rule(
    'ssh',
    dynset.update('@guests', ip.saddr, { statements: [limit({ rate: 10, per: 'minute' })] }),
    accept(),
  )
  .rule('ssh', counter(), drop())
  .rule('web', counter(), accept());

await using nft = connect(netns === undefined ? {} : { netns });
await nft.commit(transaction().destroy({ table: name }).concat(services.commands));

// Another port of the web server opens, and plain HTTP closes: both at once.
await nft.commit(
  transaction()
    .add({ element: services.element('services', [[8443, jump('web')]]) })
    .delete({ element: services.element('services', [[80, jump('web')]]) }),
);
console.log(formatRuleset(await nft.list({ family: name.family, table: name.name })));
