import { applyPolicy } from '../../examples/demo/apply-policy.ts';
import type { Connection } from '../../src/index.ts';
import type { Rendering } from '../../src/uncloud/index.ts';
import { crowded, host, policy } from '../support/frames/network.ts';

/** A way to enforce the example policy: how elements are kept, and where the rules hang. */
export interface Mode {
  readonly sets: 'anonymous' | 'named' | 'auto';
  readonly backend: 'bridge' | 'netdev';
  readonly name: string;
}

export const modes: readonly Mode[] = (['bridge', 'netdev'] as const).flatMap((backend) =>
  (['anonymous', 'named', 'auto'] as const).map((sets) => ({
    sets,
    backend,
    name: `${sets} sets, backend ${backend}`,
  })),
);

/** The mode in which everything runs; `NFTJS_CLIENTS=all` runs everything in all of them. */
export const isThorough = ({ sets, backend }: Mode): boolean =>
  process.env.NFTJS_CLIENTS === 'all' || (sets === 'anonymous' && backend === 'bridge');

/** The option of a test that takes long, and that runs once by default. */
export const lengthy = (mode: Mode): { skip: string | false } => ({
  skip: !isThorough(mode) && 'runs in one mode, and in all with NFTJS_CLIENTS=all',
});

/** Puts the example policy in force in this mode. */
export async function enforce(nft: Connection, { sets, backend }: Mode): Promise<Rendering> {
  const bridges = Object.entries(host.bridges).map(([name, bridge]) => [name, { ...bridge, backend }]);
  const rendering = await applyPolicy(
    nft,
    { ...host, sets, bridges: Object.fromEntries(bridges) },
    sets === 'auto' ? crowded : policy,
  );
  if (rendering.unenforced.length > 0) throw new Error(JSON.stringify(rendering.unenforced));
  return rendering;
}
