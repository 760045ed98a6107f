import { notifyServiceManager, type ServiceState } from '../../index.ts';
import type { Agent } from './agent.ts';
import type { AgentLog } from './options.ts';
import type { AgentState } from './state.ts';

/** What of an agent is looked at. */
type Supervised = Pick<Agent, 'state' | 'settled' | 'resync'>;

export interface SuperviseOptions {
  /** Where the service manager says how it is reached: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID. */
  readonly env?: Readonly<Partial<Record<string, string>>>;
  readonly log?: AgentLog;
}

/** The talk with the service manager; disposing is stopping. */
export interface Supervision extends Disposable {
  /** Reads everything again: `systemctl reload`. */
  reload(): void;
  /** Says that the agent ends, and nothing from then on. */
  stop(): void;
}

/** How often is looked whether there is something to say, in milliseconds. */
const LOOK = 250;

/**
 * Tells the service manager (sd_notify(3)) what becomes of an agent:
 *
 * - `READY=1` as soon as rules are in force: default deny, the last good state, or what was there
 * - `STATUS=`, when that changes
 * - `WATCHDOG=1`, three times as often as the manager wants it, each after the agent has come to the end of what it
 *   was putting in force and the kernel has answered it: an agent that hangs is started again
 * - `RELOADING=1` and `STOPPING=1`
 *
 * Without a service manager, nothing happens.
 */
export function superviseAgent(
  agent: Supervised,
  { env = process.env, log }: SuperviseOptions = {},
): Supervision {
  const socket = env.NOTIFY_SOCKET;
  const watchdog = watchdogOf(env);
  let isReady = false;
  let isStopped = false;
  let isAsked = false;
  let status = '';
  let pinged = 0;
  let isDeaf = false;
  const tell = (state: ServiceState): boolean => {
    try {
      const isTold = notifyServiceManager(state, socket);
      isDeaf = false;
      return isTold;
    } catch (error) {
      if (!isDeaf) log?.('warning', 'the service manager was not told', { error: (error as Error).message });
      isDeaf = true;
      return false;
    }
  };
  const ping = async () => {
    isAsked = true;
    try {
      await agent.settled();
      if (!isStopped && tell({ WATCHDOG: 1 })) pinged = Date.now();
    } catch (error) {
      log?.('error', 'no word to the watchdog', { error: (error as Error).message });
    }
    isAsked = false;
  };
  const look = () => {
    if (!agent.state.isGuarded) return;
    const text = statusText(agent.state);
    const news = { ...(!isReady && { READY: 1 }), ...(text !== status && { STATUS: text }) };
    if (Object.keys(news).length > 0 && tell(news)) {
      isReady = true;
      status = text;
    }
    if (watchdog !== undefined && !isAsked && Date.now() - pinged >= watchdog / 3) void ping();
  };
  const timer = socket === undefined ? undefined : setInterval(look, LOOK);
  const stop = () => {
    if (isStopped) return;
    isStopped = true;
    clearInterval(timer);
    tell({ STOPPING: 1 });
  };
  return {
    reload() {
      if (isReady) tell({ RELOADING: 1, MONOTONIC_USEC: process.hrtime.bigint() / 1000n });
      agent.resync();
      const done = () => {
        if (isReady && !isStopped) tell({ READY: 1 });
      };
      agent.settled().then(done, done);
    },
    stop,
    [Symbol.dispose]: stop,
  };
}

/** How often the manager wants to hear of this process, in milliseconds. */
function watchdogOf({
  WATCHDOG_USEC,
  WATCHDOG_PID,
}: NonNullable<SuperviseOptions['env']>): number | undefined {
  if (WATCHDOG_USEC === undefined || (WATCHDOG_PID !== undefined && Number(WATCHDOG_PID) !== process.pid))
    return undefined;
  const milliseconds = Number(WATCHDOG_USEC) / 1000;
  return milliseconds > 0 ? milliseconds : undefined;
}

function statusText({ vms, revision, learning, leftOut, held, staleSince, error }: AgentState): string {
  return [
    `${vms} VMs at revision ${revision}`,
    ...(learning ? [`${learning.addresses} addresses learnt at ${learning.ports} ports`] : []),
    ...(leftOut.length > 0 ? [`${leftOut.length} records left out`] : []),
    ...(held ? [`${held.keys.length} deletions wait for a confirmation`] : []),
    ...(staleSince ? [`the store has not been heard since ${staleSince.toISOString()}`] : []),
    ...(error === undefined ? [] : [`not in force: ${error}`]),
  ].join('; ');
}
