import type { Facts } from './facts.ts';
import type { Host } from './host.ts';
import { type Difference, partsDifference } from './inventory.ts';
import { closedParts } from './parts.ts';
import { type Devices, devicesOf, portsOf, portsThatMustBeListed, uncoveredOf, uplinksOf } from './ports.ts';
import type { Standing } from './standing.ts';
import type { Undo } from './undo.ts';

/**
 * Whose each port is, and which are closed because they are nobody's: told again for those names alone to which
 * something happened, be it in the records or on the host.
 */
export class StandingPorts {
  readonly #host: Host;
  readonly #standing: Standing;
  readonly #uplinks: ReadonlySet<string>;
  readonly #families: Map<string, 'bridge' | 'netdev'>;
  readonly #closed = new Set<string>();
  #facts: Facts;
  #present: ReadonlySet<string>;
  #mustBeListed: ReadonlySet<string>;

  constructor(host: Host, standing: Standing, facts: Facts) {
    this.#host = host;
    this.#standing = standing;
    this.#facts = facts;
    this.#uplinks = uplinksOf(host);
    this.#families = portsOf(host, standing.vms.values());
    this.#present = namesOf(facts);
    this.#mustBeListed = new Set(portsThatMustBeListed(host, facts));
    const { refusedPorts } = standing;
    for (const name of [...this.#mustBeListed, ...refusedPorts])
      if (this.#isToBeClosed(name, refusedPorts)) this.#closed.add(name);
  }

  /** Ports where nothing passes. */
  get closed(): ReadonlySet<string> {
    return this.#closed;
  }

  /** Ports of refused VMs that nobody lists. */
  get blocked(): string[] {
    return [...this.#standing.refusedPorts]
      .filter((name) => this.#standing.ownerOf(name) === undefined && !this.#uplinks.has(name))
      .sort();
  }

  get devices(): Devices {
    return devicesOf(this.#host, this.#facts, this.#families, this.#closed);
  }

  get uncovered(): string[] {
    return uncoveredOf(this.#facts, this.#families, this.#closed);
  }

  /** Whether there is an interface of this name. */
  isPresent(name: string): boolean {
    return this.#present.has(name);
  }

  /**
   * Takes the interfaces that there are now.
   *
   * @returns the names that have to be settled
   */
  see(facts: Facts, undo: Undo): string[] {
    const [before, present, mustBeListed] = [this.#facts, this.#present, this.#mustBeListed];
    this.#facts = facts;
    this.#present = namesOf(facts);
    this.#mustBeListed = new Set(portsThatMustBeListed(this.#host, facts));
    undo.step(() => {
      this.#facts = before;
      this.#present = present;
      this.#mustBeListed = mustBeListed;
    });
    return [...mustBeListed, ...this.#mustBeListed].filter(
      (name) => mustBeListed.has(name) !== this.#mustBeListed.has(name),
    );
  }

  /** Lists, closes and opens the ports of these names, as records and the host now have it. */
  settle(names: ReadonlySet<string>, undo: Undo): Difference {
    const before: string[] = [];
    const after: string[] = [];
    const listed = portsOf(this.#host, this.#ownersOf(names));
    const refused = names.size > 0 ? this.#standing.refusedPorts : new Set<string>();
    for (const name of names) {
      undo.put(this.#families, name, listed.get(name));
      const was = this.#closed.has(name);
      const is = this.#isToBeClosed(name, refused);
      if (was) before.push(name);
      if (is) after.push(name);
      this.#shut(name, is);
      undo.step(() => this.#shut(name, was));
    }
    return partsDifference(closedParts(before), closedParts(after));
  }

  #isToBeClosed(name: string, refused: ReadonlySet<string>): boolean {
    if (this.#families.has(name) || this.#uplinks.has(name)) return false;
    return this.#mustBeListed.has(name) || (refused.has(name) && this.#standing.ownerOf(name) === undefined);
  }

  #shut(name: string, isClosed: boolean): void {
    if (isClosed) this.#closed.add(name);
    else this.#closed.delete(name);
  }

  /** The VMs in force that own some of these interfaces. */
  #ownersOf(names: ReadonlySet<string>) {
    const owners = new Set([...names].flatMap((name) => this.#standing.ownerOf(name) ?? []));
    return [...owners].flatMap((id) => this.#standing.vms.get(id) ?? []);
  }
}

const namesOf = ({ interfaces = [] }: Facts) => new Set(interfaces.map(({ ifname }) => ifname));
