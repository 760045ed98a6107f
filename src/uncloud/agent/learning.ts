import type { Connection } from '../../index.ts';
import type { Host } from '../host.ts';
import { Learner } from '../learn/learner.ts';
import type { AgentLog } from './options.ts';

/** A learner whose events are log lines. */
export function loggingLearner(nft: Connection, host: Host, log: AgentLog = () => {}): Learner {
  return new Learner({
    nft,
    host,
    tell(event) {
      switch (event.kind) {
        case 'overrun':
          return log('warning', 'packets to learn from were missed', {});
        case 'failed':
          return log('error', 'not learnt', { error: event.error.message });
        case 'refused': {
          const { kind: _, ...fields } = event;
          return log('warning', 'an address is not learnt', fields);
        }
        default: {
          const { kind, ...fields } = event;
          return log('info', `an address is ${kind}`, fields);
        }
      }
    },
  });
}
