import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Driver, Session } from '../driver.ts';

function nft(...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync('nft', args, { encoding: 'utf8', maxBuffer: 1 << 30 });
  if (error) throw error;
  if (status !== 0) throw new Error(`nft ${args.join(' ')}: ${stderr.slice(0, 200)}`);
  return stdout;
}

function missing(): string | undefined {
  return spawnSync('nft', ['--version']).status === 0 ? undefined : 'nft is not installed';
}

/** The program `nft`, a process a transaction; its input is a file that is there before. */
function program(flags: readonly string[], input: 'text' | 'json'): Driver {
  return {
    missing,
    open(): Session {
      const directory = mkdtempSync(join(tmpdir(), 'nftjs-bench-'));
      let files = 0;
      return {
        prepare(work) {
          const file = join(directory, String(files++));
          writeFileSync(file, input === 'text' ? work.text() : JSON.stringify({ nftables: work.commands() }));
          return () => void nft(...flags, '-f', file);
        },
        list() {
          const listing = nft(...flags, 'list', 'ruleset');
          return input === 'json' ? JSON.parse(listing) : listing;
        },
        close: () => rmSync(directory, { recursive: true, force: true }),
      };
    },
  };
}

export const text = program([], 'text');
export const json = program(['-j'], 'json');
