import { type CommitOptions, type CommitResult, Connection } from '../netlink/index.ts';
import type { Transport } from '../netlink/transport.ts';
import type { Commands } from '../transaction/index.ts';
import type { FakeCommit, FakeKernel } from './fake-kernel.ts';

/** A {@link Connection} to a {@link FakeKernel}: everything but the kernel is the real thing. */
export class FakeConnection extends Connection {
  /** The kernel that it speaks with. */
  readonly kernel: FakeKernel;
  readonly #record: (commit: FakeCommit) => void;

  /** @internal use {@link FakeKernel.connect} */
  constructor(transport: Transport, kernel: FakeKernel, record: (commit: FakeCommit) => void) {
    super(transport);
    this.kernel = kernel;
    this.#record = record;
  }

  override async commit(commands: Commands, options?: CommitOptions): Promise<CommitResult> {
    const result = await super.commit(commands, options);
    this.#record({ commands, generation: result.generation, connection: this });
    return result;
  }

  override commitSync(commands: Commands, options?: Omit<CommitOptions, 'signal'>): CommitResult {
    const result = super.commitSync(commands, options);
    this.#record({ commands, generation: result.generation, connection: this });
    return result;
  }
}
