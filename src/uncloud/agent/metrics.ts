import type { AgentState } from './state.ts';

interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  /** Nothing where there is nothing to tell of. */
  value(state: AgentState, now: number): number | undefined;
}

const METRICS: readonly Metric[] = [
  {
    name: 'applied_revision',
    type: 'gauge',
    help: 'The revision of the VM records in force.',
    value: ({ revision }) => revision,
  },
  {
    name: 'applied_timestamp_seconds',
    type: 'gauge',
    help: 'When the rules in force came into force.',
    value: ({ since }) => since.getTime() / 1000,
  },
  {
    name: 'store_up',
    type: 'gauge',
    help: '1 while the store is heard.',
    value: ({ staleSince }) => (staleSince === undefined ? 1 : 0),
  },
  {
    name: 'stale_seconds',
    type: 'gauge',
    help: 'For how long the store has not been heard.',
    value: ({ staleSince }, now) => (staleSince === undefined ? 0 : (now - staleSince.getTime()) / 1000),
  },
  { name: 'vms', type: 'gauge', help: 'VMs whose records are in force.', value: ({ vms }) => vms },
  {
    name: 'left_out_records',
    type: 'gauge',
    help: 'Records that are not in force as the store has them.',
    value: ({ leftOut }) => leftOut.length,
  },
  {
    name: 'routes',
    type: 'gauge',
    help: 'Routes of delegated prefixes in force.',
    value: ({ routes }) => routes?.installed,
  },
  {
    name: 'unrouted_prefixes',
    type: 'gauge',
    help: 'Delegated prefixes that are not routed: the status says why.',
    value: ({ routes }) => routes?.problems.length,
  },
  {
    name: 'learning_ports',
    type: 'gauge',
    help: 'Ports whose records let them learn addresses.',
    value: ({ learning }) => learning?.ports,
  },
  {
    name: 'learnt_addresses',
    type: 'gauge',
    help: 'Addresses that are learnt just now.',
    value: ({ learning }) => learning?.addresses,
  },
  {
    name: 'learning_refused_total',
    type: 'counter',
    help: 'Times that an address was not learnt: the log says why.',
    value: ({ learning }) => learning?.refused,
  },
  {
    name: 'learning_unbelieved_total',
    type: 'counter',
    help: 'Answers of DHCP servers that taught nothing: nobody had asked, or a VM had sent them.',
    value: ({ learning }) => learning?.unbelieved,
  },
  {
    name: 'held_deletions',
    type: 'gauge',
    help: 'Deletions that wait for a confirmation.',
    value: ({ held }) => held?.keys.length ?? 0,
  },
  {
    name: 'in_error',
    type: 'gauge',
    help: '1 while the last attempt to put the desired state in force has failed.',
    value: ({ error }) => (error === undefined ? 0 : 1),
  },
  {
    name: 'transactions_total',
    type: 'counter',
    help: 'Transactions that changed the kernel.',
    value: ({ transactions }) => transactions,
  },
  {
    name: 'healed_total',
    type: 'counter',
    help: 'Times that somebody else changed our tables or routes and they were put back.',
    value: ({ healed }) => healed,
  },
  {
    name: 'failures_total',
    type: 'counter',
    help: 'Attempts that failed.',
    value: ({ failures }) => failures,
  },
];

/** An agent's state in Prometheus' text format, version 0.0.4. */
export function metricsText(state: AgentState, now: number = Date.now()): string {
  return METRICS.map(({ name, type, help, value }) => {
    const full = `nftjs_uncloud_${name}`;
    const figure = value(state, now);
    return figure === undefined ? '' : `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${full} ${figure}\n`;
  }).join('');
}
