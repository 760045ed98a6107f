import { datatype, splitFlags } from '../datatype/index.ts';
import { MESSAGE, TRACE_TYPES, trace as traceSchema } from '../message/index.ts';
import type {
  Family,
  Immediate,
  Rule,
  TraceConnection,
  TracePacket,
  TraceStep,
  TraceVerdict,
} from '../model/index.ts';
import { familyByNumber } from '../protocol/index.ts';
import { decodeOpen, type ValueOf } from '../wire/schema.ts';
import { Feed } from './feed.ts';
import { InterfaceNames } from './interface-names.ts';
import { readMessages } from './message.ts';
import { NamespaceInterfaces } from './namespace-interfaces.ts';
import { concerns, type Part } from './part.ts';
import type { Abortable } from './request.ts';
import type { Subscription, SubscriptionOptions } from './subscription.ts';
import type { Transport } from './transport.ts';

/** What to listen to. */
export interface TraceOptions extends Part, Abortable, SubscriptionOptions {}

/** Steps came faster than they were read, and some are lost. */
export interface TraceOverrun {
  readonly overrun: true;
}

export type TraceEvent = TraceStep | TraceOverrun;

/** NFNLGRP_NFTRACE of linux/netfilter/nfnetlink.h. */
const GROUP = 9;

const PACKET_VERDICTS = ['drop', 'accept', 'stolen', 'queue', 'repeat'] as const;
const MACHINE_VERDICTS = ['continue', 'break', 'jump', 'goto', 'return'] as const;

/** Listens to traced packets: see `Connection.trace`. */
export function trace(transport: Transport, options: TraceOptions): Feed<TraceEvent> {
  const subscription = transport.subscribe(GROUP, options);
  const interfaces = new NamespaceInterfaces(transport);
  return new Feed(subscription, (from) => interfaces.follow(steps(transport, from, options)), options);
}

async function* steps(
  transport: Transport,
  subscription: Subscription,
  options: TraceOptions,
): AsyncGenerator<TraceEvent, void, undefined> {
  const surroundings = new Surroundings(transport, options);
  try {
    for (let news = await subscription.read(); news !== undefined; news = await subscription.read()) {
      await surroundings.refresh();
      for (const message of readMessages(news.messages)) {
        const family = familyByNumber(message.family)?.name;
        if (message.type !== MESSAGE.TRACE || family === undefined || !concerns(message, options)) continue;
        const { value } = decodeOpen(traceSchema, message.attributes);
        const type = TRACE_TYPES[value.type ?? 0];
        // The end of a chain is told as a rule, too; it is worth a step if the packet comes with it.
        const isStep =
          type !== 'rule' || value.handle !== undefined || (value.link ?? value.network) !== undefined;
        if (type !== undefined && isStep) yield await readStep(family, type, value, surroundings);
      }
      if (news.overrun) yield { overrun: true };
    }
  } catch (error) {
    if (!subscription.closed) throw error;
  }
}

type Told = Partial<ValueOf<typeof traceSchema>>;

async function readStep(
  family: Family,
  type: TraceStep['type'],
  value: Told,
  surroundings: Surroundings,
): Promise<TraceStep> {
  const { id = 0, table = '', chain = '', mark } = value;
  const handle = value.handle === undefined ? undefined : Number(value.handle);
  const rule = handle === undefined ? undefined : await surroundings.rule(family, table, chain, handle);
  return {
    overrun: false,
    id,
    family,
    table,
    chain,
    type,
    ...(handle === undefined ? {} : { handle }),
    ...(rule === undefined ? {} : { rule }),
    ...(value.verdict === undefined ? {} : { verdict: verdictOf(value.verdict) }),
    ...(value.policy === undefined ? {} : { policy: value.policy === 0 ? 'drop' : 'accept' }),
    ...(mark === undefined ? {} : { mark }),
    ...((value.link ?? value.network) === undefined
      ? {}
      : { packet: await packetOf(family, value, surroundings) }),
  };
}

/** Of a packet verdict the upper bits say more: the number of a queue, an error. */
function verdictOf({ code = 0, chain }: NonNullable<Told['verdict']>): TraceVerdict {
  const signed = code | 0;
  const name = signed < 0 ? MACHINE_VERDICTS[-1 - signed] : PACKET_VERDICTS[signed & 0xff];
  return { code: name ?? 'continue', ...(chain === undefined ? {} : { chain }) };
}

async function packetOf(family: Family, value: Told, surroundings: Surroundings): Promise<TracePacket> {
  const { link, network, transport, iif, iiftype, oif, oiftype, nfproto } = value;
  const { describePacket } = await import('./reading.ts');
  const fields = describePacket({ link, network, transport }, { family, nfproto, iiftype });
  return {
    ...(iif === undefined ? {} : { iif: await surroundings.names.of(iif, iiftype) }),
    ...(oif === undefined ? {} : { oif: await surroundings.names.of(oif, oiftype) }),
    ...(link === undefined ? {} : { link }),
    ...(network === undefined ? {} : { network }),
    ...(transport === undefined ? {} : { transport }),
    ...connectionOf(value),
    fields,
  };
}

const DIRECTIONS = ['original', 'reply'] as const;
const FLAGS = 32;

function connectionOf({ ctId, ctDirection, ctState, ctStatus }: Told): { readonly ct?: TraceConnection } {
  if (ctId === undefined && ctState === undefined) return {};
  const direction = DIRECTIONS[ctDirection ?? -1];
  const ct = {
    ...(ctId === undefined ? {} : { id: ctId }),
    ...(direction === undefined ? {} : { direction }),
    ...(ctState === undefined ? {} : { state: datatype('ct_state').format(BigInt(ctState), FLAGS) }),
    ...(ctStatus === undefined ? {} : { status: statusOf(ctStatus) }),
  };
  return { ct };
}

function statusOf(flags: number): Immediate[] {
  return splitFlags(BigInt(flags)).map((flag) => datatype('ct_status').format(flag, FLAGS));
}

/** What steps are read against: rules and interfaces, asked for when they are first met. */
class Surroundings {
  readonly #transport: Transport;
  readonly #signal: AbortSignal | undefined;
  readonly #chains = new Map<string, ReadonlyMap<number, Rule>>();
  /** Of interfaces. */
  readonly names: InterfaceNames;
  #generation: number | undefined;

  constructor(transport: Transport, options: Abortable) {
    this.#transport = transport;
    this.#signal = options.signal;
    this.names = new InterfaceNames(transport, options);
  }

  /** Forgets the rules when the ruleset has changed: a new table counts its handles from the beginning. */
  async refresh(): Promise<void> {
    const generation = await this.#transport.generation({ signal: this.#signal });
    if (generation !== this.#generation) this.#chains.clear();
    this.#generation = generation;
  }

  async rule(family: Family, table: string, chain: string, handle: number): Promise<Rule | undefined> {
    const key = [family, table, chain].join('\0');
    let rules = this.#chains.get(key);
    if (rules === undefined) this.#chains.set(key, (rules = await this.#rules(family, table, chain)));
    return rules.get(handle);
  }

  async #rules(family: Family, table: string, chain: string): Promise<ReadonlyMap<number, Rule>> {
    const { listRuleset } = await import('./reading.ts');
    try {
      const { nftables } = await listRuleset(
        (request) => this.#transport.dump({ ...request, signal: this.#signal }),
        { family, table, chain, terse: true },
      );
      return new Map(nftables.flatMap((one) => ('rule' in one ? [[one.rule.handle ?? 0, one.rule]] : [])));
    } catch (error) {
      // The packet met rules that are gone or being changed: their handles are still told.
      if (this.#transport.closed || this.#signal?.aborted) throw error;
      return new Map();
    }
  }
}
