import type { Firewall } from '../firewall.ts';

/** What learning has come to on a host. */
export interface LearningFigures {
  /** Ports whose records let them learn. */
  readonly ports: number;
  /** Addresses that are learnt just now. */
  readonly addresses: number;
  /** How often an address was not learnt: another VM has it, it is reserved, nobody may have it, or they were too many. */
  readonly refused: number;
  /** Answers of DHCP servers that taught nothing: no client had asked, or a VM had sent them. */
  readonly unbelieved: number;
}

/** How many ports learn, kept up VM by VM. */
export class LearningPorts {
  readonly #byVm = new Map<string, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @param vms - those whose records changed, where that is all that may be different */
  take(firewall: Firewall, vms?: Iterable<string>): void {
    if (vms === undefined) this.clear();
    for (const id of vms ?? firewall.vms.keys()) {
      const nics = firewall.vms.get(id)?.nics ?? [];
      const count = nics.filter(({ ifname }) => firewall.learning(ifname)).length;
      this.#count += count - (this.#byVm.get(id) ?? 0);
      if (count > 0) this.#byVm.set(id, count);
      else this.#byVm.delete(id);
    }
  }

  clear(): void {
    this.#byVm.clear();
    this.#count = 0;
  }
}
