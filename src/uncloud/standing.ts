import type { Prefix } from './address.ts';
import { type Claims, claims } from './claim.ts';
import type { Host } from './host.ts';
import {
  legiblePorts,
  type Nic,
  type Policy,
  type PolicyOptions,
  parsePolicy,
  problemOf,
  type Vm,
  validVm,
} from './policy.ts';
import { type Problem, Refused, UncloudError } from './problem.ts';
import type { Undo } from './undo.ts';
import { checkReferences, type Vocabulary, vocabulary } from './vocabulary.ts';

/** Groups, networks and filters, all of them good. */
export type Words = Omit<Policy, 'vms'>;

/** Records of groups, networks and filters by name: new ones, changed ones, `undefined` for those that are gone. */
export type WordRecords = { readonly [Kind in keyof Words]?: Readonly<Record<string, unknown>> };

const KINDS = ['groups', 'networks', 'filters'] as const;
const VM_KEY = /^distributed-firewall\/vm\/(.*)$/s;

/** A record that is not in force. */
interface Refusal {
  readonly problem: Problem;
  /** The ports that it names, as far as it is legible. */
  readonly ports: readonly string[];
  /** Judges it again, by other groups and filters. */
  judge(words: Words): Vm | Refused;
}

/** What a change came to. */
export interface Turn {
  /** The records that were in force before, of the VMs whose record in force is another now. */
  readonly before: ReadonlyMap<string, Vm | undefined>;
  /** The ports whose owner may be another, or that are refused or not any more. */
  readonly touched: ReadonlySet<string>;
  /** Whether groups, networks or filters are others. */
  readonly reworded: boolean;
}

/**
 * Which records are in force, one change at a time: what `parsePolicy` makes of the whole policy with what was in
 * force before, without a look at the records that nothing happens to.
 */
export class Standing {
  readonly #host: Host;
  readonly #claims: Claims;
  /** The age of each claim, as far as it is known. */
  readonly #revisions: Map<string, number>;
  readonly #inForce = new Map<string, Vm>();
  /** Records that are good in themselves, and claim what is another's. */
  readonly #waiting = new Map<string, Vm>();
  readonly #refused = new Map<string, Refusal>();
  /** Groups, networks and filters as they are said, good or not. */
  readonly #said: Readonly<Record<(typeof KINDS)[number], Map<string, unknown>>>;
  #words: Words;
  #wordProblems: readonly Problem[];

  constructor(value: unknown, options: PolicyOptions & { readonly host: Host }) {
    const { policy, problems } = parsePolicy(value, options);
    const { vms, ...words } = policy;
    this.#host = options.host;
    this.#revisions = new Map(Object.entries(options.revisions ?? {}));
    this.#words = words;
    this.#wordProblems = problems.filter(({ key }) => !VM_KEY.test(key));
    this.#claims = claims(options.host);
    for (const [id, vm] of Object.entries(vms)) {
      this.#claims.claim(id, vm);
      this.#inForce.set(id, vm);
    }
    const said = value as { readonly vms?: Record<string, unknown> } & WordRecords;
    const named = (kind: (typeof KINDS)[number]) => new Map(Object.entries(said[kind] ?? {}));
    this.#said = { groups: named('groups'), networks: named('networks'), filters: named('filters') };
    for (const problem of problems) {
      const [, id] = VM_KEY.exec(problem.key) ?? [];
      if (id === undefined) continue;
      const record = said.vms?.[id];
      const vm = validVm(id, record, words);
      if (!(vm instanceof Refused)) this.#waiting.set(id, vm);
      this.#refused.set(id, { problem, ports: legiblePorts(record, this.#host), judge: judging(id, record) });
    }
  }

  /** The records in force. */
  get vms(): ReadonlyMap<string, Vm> {
    return this.#inForce;
  }

  /** The groups, networks and filters in force. */
  get words(): Words {
    return this.#words;
  }

  /** What is refused: groups, networks and filters, then VMs. */
  get problems(): readonly Problem[] {
    return [...this.#wordProblems, ...[...this.#refused.values()].map(({ problem }) => problem)];
  }

  /** What is refused of some VMs, and of groups, networks and filters where they were asked for. */
  problemsOf(ids: Iterable<string>, words: boolean): Problem[] {
    const wanted = new Set(ids);
    return [
      ...(words ? this.#wordProblems : []),
      ...[...this.#refused].flatMap(([id, { problem }]) => (wanted.has(id) ? [problem] : [])),
    ];
  }

  /** The ports that refused records name. */
  get refusedPorts(): Set<string> {
    return new Set([...this.#refused.values()].flatMap(({ ports }) => ports));
  }

  /** The VM that has the interface or MAC. */
  ownerOf(ifname: string): string | undefined {
    return this.#claims.ownerOf(ifname);
  }

  /** Another VM whose record has an address, where one has a NIC. */
  otherOwner(id: string, nic: Nic, address: Prefix): string | undefined {
    return this.#claims.other(id, nic, address);
  }

  /** Takes records. What is not valid is refused for itself alone, and keeps what it had. */
  change(
    records: Readonly<Record<string, unknown>>,
    words: WordRecords,
    undo: Undo,
    revisions: Readonly<Record<string, number>> = {},
  ): Turn {
    for (const id of Object.keys(records))
      undo.put(this.#revisions, id, Object.hasOwn(revisions, id) ? revisions[id] : undefined);
    const before = new Map<string, Vm | undefined>();
    const touched = new Set<string>();
    const { reworded, misses } = this.#reword(words, undo);
    let isMoved = false;

    const put = (id: string, vm: Vm | undefined) => {
      const old = this.#inForce.get(id);
      if (!before.has(id)) before.set(id, old);
      undo.put(this.#inForce, id, vm);
      for (const { ifname } of [...(old?.nics ?? []), ...(vm?.nics ?? [])]) touched.add(ifname);
    };
    const touch = (ports: readonly string[] = []) => {
      for (const port of ports) touched.add(port);
    };
    const refuse = (id: string, refusal: Refused, { ports, judge }: Omit<Refusal, 'problem'>) => {
      touch(ports);
      touch(this.#refused.get(id)?.ports);
      undo.put(this.#refused, id, { problem: problemOf(id, refusal), ports, judge });
    };
    const settle = (id: string) => {
      touch(this.#refused.get(id)?.ports);
      undo.put(this.#refused, id, undefined);
      undo.put(this.#waiting, id, undefined);
    };
    const release = (id: string, vm: Vm) => {
      this.#claims.release(id, vm);
      undo.step(() => this.#claims.claim(id, vm));
    };
    /** Has a good record take the place of the one before, or wait for what it claims. */
    const attempt = (id: string, vm: Vm, from: Omit<Refusal, 'problem'>) => {
      const old = this.#inForce.get(id);
      if (old) this.#claims.release(id, old);
      try {
        this.#claims.claim(id, vm);
      } catch (error) {
        if (old) this.#claims.claim(id, old);
        if (!(error instanceof Refused)) throw error;
        undo.put(this.#waiting, id, vm);
        refuse(id, error, from);
        return;
      }
      undo.step(() => {
        this.#claims.release(id, vm);
        if (old) this.#claims.claim(id, old);
      });
      settle(id);
      put(id, vm);
      isMoved = true;
    };
    const judged = (id: string, vm: Vm | Refused, from: Omit<Refusal, 'problem'>) => {
      if (!(vm instanceof Refused)) return attempt(id, vm, from);
      undo.put(this.#waiting, id, undefined);
      refuse(id, vm, from);
    };

    if (reworded) {
      for (const [id, vm] of misses ? this.#inForce : []) {
        const found = referring(vm)(this.#words);
        if (!(found instanceof Refused)) continue;
        release(id, vm);
        isMoved = true;
        const from = { ports: legiblePorts(vm, this.#host), judge: referring(vm) };
        put(id, undefined);
        if (!this.#refused.has(id)) refuse(id, found, from);
      }
    }
    const due = new Map<string, unknown>([...(reworded ? this.#refused : []), ...Object.entries(records)]);
    for (const [id, record] of this.#inOrder(due)) {
      if (!Object.hasOwn(records, id)) {
        const refusal = record as Refusal;
        judged(id, refusal.judge(this.#words), refusal);
        continue;
      }
      if (record !== undefined && record !== null) {
        const from = { ports: legiblePorts(record, this.#host), judge: judging(id, record) };
        judged(id, validVm(id, record, this.#words), from);
        continue;
      }
      const old = this.#inForce.get(id);
      settle(id);
      if (!old) continue;
      release(id, old);
      put(id, undefined);
      isMoved = true;
    }
    // What was given up is free for those who wait for it; what they give up in turn, for others. And what was taken
    // may be another reason to wait.
    while (isMoved) {
      isMoved = false;
      for (const [id, vm] of this.#inOrder(this.#waiting)) {
        const { ports, judge } = this.#refused.get(id) as Refusal;
        attempt(id, vm, { ports, judge });
      }
    }
    return { before, touched, reworded };
  }

  /** The oldest claim first. */
  #inOrder<T>(records: ReadonlyMap<string, T>): [string, T][] {
    const age = (id: string) => this.#revisions.get(id) ?? Number.MAX_VALUE;
    return [...records].sort(([a], [b]) => age(a) - age(b) || (a < b ? -1 : 1));
  }

  /** Takes records of groups, networks and filters; tells whether any is another now, and whether VMs may miss one. */
  #reword(records: WordRecords, undo: Undo): { reworded: boolean; misses: boolean } {
    const named = KINDS.flatMap((kind) =>
      Object.entries(records[kind] ?? {}).map((entry) => [kind, entry] as const),
    );
    if (named.length === 0) return { reworded: false, misses: false };
    for (const [kind, [name, record]] of named) undo.put(this.#said[kind], name, record ?? undefined);
    const [before, problems] = [this.#words, this.#wordProblems];
    undo.step(() => {
      this.#words = before;
      this.#wordProblems = problems;
    });
    const { groups, networks, filters, problems: found } = this.#read();
    const words = { groups, networks, filters };
    this.#wordProblems = found;
    const differs = (kind: (typeof KINDS)[number]) =>
      JSON.stringify(words[kind]) !== JSON.stringify(before[kind]);
    if (!KINDS.some(differs)) return { reworded: false, misses: false };
    this.#words = words;
    const isGone = (name: string) => !Object.hasOwn(groups, name);
    return { reworded: true, misses: Object.keys(before.groups).some(isGone) || differs('filters') };
  }

  #read(): Vocabulary {
    const fields = Object.fromEntries(KINDS.map((kind) => [kind, Object.fromEntries(this.#said[kind])]));
    try {
      return vocabulary(fields, { ...this.#words, vms: {} });
    } catch (error) {
      if (error instanceof Refused) throw new UncloudError('policy', error.path, error.message);
      throw error;
    }
  }
}

/** A VM's own record, judged by groups and filters. */
const judging =
  (id: string, record: unknown): Refusal['judge'] =>
  (words) =>
    validVm(id, record, words);

/** One that was good, judged by what it names. */
const referring =
  (vm: Vm): Refusal['judge'] =>
  (words) => {
    try {
      checkReferences(vm, words);
      return vm;
    } catch (error) {
      if (error instanceof Refused) return error;
      throw error;
    }
  };
