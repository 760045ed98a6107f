import type { Nat, NatPort, Statement, Tproxy } from '../statement.ts';
import { worded } from './plain.ts';
import type { WithValues } from './statement.ts';

/** Rewrites the source: `snat({ addr: '203.0.113.1', family: 'ip' })`. Chains of type nat, postrouting or input. */
export function snat(to?: WithValues<Nat, 'addr' | 'port'>): Statement {
  return worded({ snat: to ?? null }) as Statement;
}

/** Rewrites the destination. Chains of type nat, prerouting or output. */
export function dnat(to?: WithValues<Nat, 'addr' | 'port'>): Statement {
  return worded({ dnat: to ?? null }) as Statement;
}

/** Rewrites the source to the outgoing interface's address. Chains of type nat, postrouting. */
export function masquerade(to?: WithValues<NatPort, 'port'>): Statement {
  return worded({ masquerade: to ?? null }) as Statement;
}

/** Rewrites the destination to this machine. Chains of type nat, prerouting or output. */
export function redirect(to?: WithValues<NatPort, 'port'>): Statement {
  return worded({ redirect: to ?? null }) as Statement;
}

/** Gives the packet to a local socket without rewriting it; prerouting. */
export function tproxy(to: WithValues<Tproxy, 'addr' | 'port'>): Statement {
  return worded({ tproxy: to }) as Statement;
}
