import { readFile, truncate, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Store } from '../../src/uncloud/index.ts';
import type { Etcd } from '../support/etcd.ts';
import type { Host } from './host.ts';
import type { Manager } from './manager.ts';
import { now } from './probe.ts';
import type { Random } from './random.ts';

/** What a fault has to work with. */
export interface Scene {
  readonly hosts: readonly Host[];
  readonly etcd: Etcd;
  readonly store: Store;
  readonly manager: Manager;
  readonly random: Random;
  /** How long faults last: 1 as in the long run, less in a short one. */
  readonly scale: number;
  /** What is wrong while a fault lasts. */
  readonly complaints: string[];
  /** From here until its agent has put them back, a host has no rules: somebody took them away. */
  expose(host: Host): void;
  /** Waits until all hosts are as the store says. */
  settle(): Promise<void>;
}

/** Does its worst, and returns when that is over, with a word about it. */
export type Fault = (scene: Scene) => Promise<string>;

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;

/** Times, in milliseconds, in the long run; the longest are those that backoff has to cope with. */
async function last({ random, scale }: Scene, least: number, most: number): Promise<string> {
  const time = random.between(least, most) * scale;
  await pause(time);
  return seconds(time);
}

const names = (hosts: readonly Host[]) => hosts.map(({ name }) => name).join(' ');

export const faults: Readonly<Record<string, Fault>> = {
  'store killed': async (scene) => {
    await scene.etcd.kill();
    const time = await last(scene, 1000, 12_000);
    await scene.etcd.restart();
    return `away for ${time}`;
  },

  'store frozen': async (scene) => {
    scene.etcd.freeze();
    try {
      return `silent for ${await last(scene, 1000, 9000)}`;
    } finally {
      scene.etcd.thaw();
    }
  },

  'hosts cut off': async (scene) => {
    const cut = scene.random.some(scene.hosts, 0.25);
    const how = scene.random.pick(['cable', 'port'] as const);
    await Promise.all(cut.map((host) => host.cut(how, true)));
    try {
      return `${names(cut)} by ${how} for ${await last(scene, 2000, 15_000)}`;
    } finally {
      await Promise.all(cut.map((host) => host.cut(how, false)));
    }
  },

  'agents killed': async (scene) => {
    const killed = scene.random.some(scene.hosts, 0.25);
    await Promise.all(killed.map((host) => host.kill()));
    const time = await last(scene, 100, 3000);
    for (const host of killed) host.start();
    return `${names(killed)}, gone for ${time}`;
  },

  /** The machine goes down and comes back while the store is out of its reach: rules before ports. */
  'host rebooted, cut off': async (scene) => {
    const host = scene.random.pick(scene.hosts);
    await scene.manager.stop();
    await scene.manager.unplugAll(host);
    await host.kill();
    await host.cut('port', true);
    try {
      await host.restartFirewall();
      host.start();
      const start = now();
      while (!(await host.hasRules())) {
        if (now() - start > 30_000) throw new Error(`${host.name} denies nothing after ${seconds(30_000)}`);
        await pause(20);
      }
      const denied = now() - start;
      await scene.manager.plugAll(host);
      scene.manager.start();
      return `${host.name}: denies after ${seconds(denied)}, cut off for ${await last(scene, 1000, 4000)} more`;
    } finally {
      await host.cut('port', false);
    }
  },

  'clocks skewed': async (scene) => {
    const skewed = scene.random.some(scene.hosts, 0.4);
    const offsets = skewed.map(() =>
      scene.random.pick([-86_400_000, -3_600_000, -700, 90_000, 31_536_000_000]),
    );
    for (const [i, host] of skewed.entries()) host.skew(offsets[i] as number);
    const time = await last(scene, 1000, 4000);
    for (const host of skewed) host.skew(0);
    return `${names(skewed)} for ${time}`;
  },

  'torn snapshots': async (scene) => {
    const torn = scene.random.some(scene.hosts, 0.2);
    for (const host of torn) {
      await host.kill();
      const content = await readFile(host.state).catch(() => undefined);
      const how = scene.random.between(0, 2);
      if (content === undefined || how === 0) await writeFile(host.state, '');
      else if (how === 1) await truncate(host.state, Math.floor(content.length * scene.random.real()));
      else {
        const at = scene.random.between(0, content.length - 1);
        content.writeUInt8(content.readUInt8(at) ^ 1, at);
        await writeFile(host.state, content);
      }
      host.start();
    }
    return names(torn);
  },

  'torn records': async (scene) => {
    await scene.manager.stop();
    await scene.settle();
    const { entries } = await scene.store.list('distributed-firewall/');
    const torn = scene.random.shuffled(scene.manager.good).slice(0, 3);
    for (const vm of torn) await scene.manager.tear(vm);
    await pause(1000 * scene.scale + 300);
    for (const host of scene.hosts) {
      const wrong = await host.difference(entries, await host.picture());
      if (wrong !== undefined) scene.complaints.push(`with a torn record, not the last good rules: ${wrong}`);
    }
    for (const vm of torn) await scene.manager.mend(vm);
    scene.manager.start();
    return torn.map(({ id }) => id).join(' ');
  },

  'rules flushed': async (scene) => {
    const flushed = scene.random.some(scene.hosts, 0.25);
    await Promise.all(
      flushed.map(async (host) => {
        scene.expose(host);
        await host.restartFirewall();
      }),
    );
    return names(flushed);
  },

  'a table deleted': async (scene) => {
    const host = scene.random.pick(scene.hosts);
    const command = scene.random.pick([
      'delete table bridge uncloud',
      'flush chain bridge uncloud prerouting',
    ]);
    scene.expose(host);
    await host.run('nft', [command]);
    return `${host.name}: ${command}`;
  },

  /** What a host missed is no longer known when it comes back. */
  'history compacted': async (scene) => {
    const cut = scene.random.some(scene.hosts, 0.2);
    await Promise.all(cut.map((host) => host.cut('port', true)));
    try {
      await last(scene, 2000, 5000);
      const { revision } = await scene.store.list('distributed-firewall/group/');
      const response = await fetch(`${scene.etcd.endpoint}/v3/kv/compaction`, {
        method: 'POST',
        body: JSON.stringify({ revision: String(revision) }),
      });
      if (!response.ok) throw new Error(`etcd does not compact: ${await response.text()}`);
      return `at revision ${revision}, ${names(cut)} cut off`;
    } finally {
      await Promise.all(cut.map((host) => host.cut('port', false)));
    }
  },
};
