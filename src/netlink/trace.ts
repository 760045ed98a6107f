import { MESSAGE, TRACE_TYPES, trace as traceSchema } from '../message/index.ts';
import type { ChainPolicy, Family, Rule, Statement } from '../model/index.ts';
import { familyByNumber } from '../protocol/index.ts';
import { decodeOpen, type ValueOf } from '../wire/schema.ts';
import { concerns } from './change.ts';
import { Feed } from './feed.ts';
import { readInterfaces } from './interfaces.ts';
import type { Part } from './known.ts';
import { listRuleset } from './list.ts';
import { readMessages } from './message.ts';
import { describePacket, type PacketHeaders } from './packet.ts';
import type { Abortable } from './socket.ts';
import type { Subscription, SubscriptionOptions } from './subscription.ts';
import type { Transport } from './transport.ts';

/** What to listen to. */
export interface TraceOptions extends Part, Abortable, SubscriptionOptions {}

/** What a rule or chain said of a packet. */
export interface TraceVerdict {
  readonly code:
    | 'accept'
    | 'drop'
    | 'stolen'
    | 'queue'
    | 'repeat'
    | 'continue'
    | 'break'
    | 'jump'
    | 'goto'
    | 'return';
  /** Where `jump` and `goto` lead. */
  readonly chain?: string;
}

/** An interface that a packet came by or leaves by. */
export interface TraceInterface {
  readonly index: number;
  /** Absent where it is gone. */
  readonly name?: string;
  /** ARPHRD_* of linux/if_arp.h: 1 is Ethernet. */
  readonly type?: number;
}

/** A packet as it was when its trace began. */
export interface TracePacket extends PacketHeaders {
  readonly iif?: TraceInterface;
  readonly oif?: TraceInterface;
  /** The fields of its headers, as matches that it meets. */
  readonly fields: readonly Statement[];
}

/** One step of a packet that a rule marked with `meta nftrace set 1` (Linux 4.5). */
export interface TraceStep {
  readonly overrun: false;
  /** The packet: its steps have the same number. */
  readonly id: number;
  readonly family: Family;
  readonly table: string;
  readonly chain: string;
  /** `rule`: it met one; `return`: it left a chain; `policy`: it reached the end of a base chain. */
  readonly type: 'rule' | 'return' | 'policy';
  /**
   * The rule, of type `rule`; without its contents when it is gone already. A packet that met no rule before
   * the chain's end is told without one.
   */
  readonly handle?: number;
  readonly rule?: Rule;
  readonly verdict?: TraceVerdict;
  readonly policy?: ChainPolicy;
  readonly mark?: number;
  /** In the first step in each base chain. */
  readonly packet?: TracePacket;
}

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
  return new Feed(subscription, (from) => steps(transport, from, options), options);
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
  const fields = describePacket({ link, network, transport }, { family, nfproto, iiftype });
  return {
    ...(iif === undefined ? {} : { iif: await surroundings.interface(iif, iiftype) }),
    ...(oif === undefined ? {} : { oif: await surroundings.interface(oif, oiftype) }),
    ...(link === undefined ? {} : { link }),
    ...(network === undefined ? {} : { network }),
    ...(transport === undefined ? {} : { transport }),
    fields,
  };
}

/** What steps are read against: rules and interfaces, asked for when they are first met. */
class Surroundings {
  readonly #transport: Transport;
  readonly #signal: AbortSignal | undefined;
  readonly #chains = new Map<string, ReadonlyMap<number, Rule>>();
  #interfaces = new Map<number, string>();
  #generation: number | undefined;

  constructor(transport: Transport, { signal }: Abortable) {
    this.#transport = transport;
    this.#signal = signal;
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

  async interface(index: number, type: number | undefined): Promise<TraceInterface> {
    if (!this.#interfaces.has(index)) {
      const links = readInterfaces(await this.#transport.links({ signal: this.#signal }));
      this.#interfaces = new Map(links.map((link) => [link.index, link.name]));
    }
    const name = this.#interfaces.get(index);
    return { index, ...(name === undefined ? {} : { name }), ...(type === undefined ? {} : { type }) };
  }

  async #rules(family: Family, table: string, chain: string): Promise<ReadonlyMap<number, Rule>> {
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
