import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { type Connection, connect, parse, type Ruleset, type RulesetElement } from '../../src/index.ts';
import { Namespace } from './frames/namespace.ts';

/** A network namespace to try things in, and a connection to it. */
export interface Kernel {
  readonly nft: Connection;
  readonly netns: string;
  /** Runs a command inside and returns its standard output. */
  run(command: string, args: readonly string[], input?: string): string;
  /** Has the program nft load a ruleset in its own syntax. */
  load(text: string): void;
  /** What the program nft lists, as text. */
  text(): string;
  /** What the program nft lists, as JSON. */
  json(): Ruleset;
}

/**
 * Runs `work` with a fresh network namespace, which ends with it.
 *
 * @throws AssertionError also when it leaves open what was not open before
 */
export async function withKernel<T>(work: (kernel: Kernel) => T | Promise<T>): Promise<T> {
  const before = descriptors();
  const result = await inNamespace(work);
  // The runtime closes some of its own when it likes.
  const left = descriptors().filter((descriptor) => !before.includes(descriptor));
  assert.deepEqual(left, [], 'file descriptors are left open');
  return result;
}

async function inNamespace<T>(work: (kernel: Kernel) => T | Promise<T>): Promise<T> {
  using namespace = new Namespace();
  await using nft = connect({ netns: namespace.path });
  // nft opens /dev/stdin anew, which the socket that spawn gives it does not allow; a pipe does.
  const pipe = (command: string, input: string) => namespace.run('sh', ['-c', `cat | ${command}`], input);
  return await work({
    nft,
    netns: namespace.path,
    run: (command, args, input) => namespace.run(command, args, input),
    load: (text) => void pipe('nft -f -', text),
    text: () => namespace.run('nft', ['list', 'ruleset']),
    json: () => parse(namespace.run('nft', ['-j', 'list', 'ruleset'])),
  });
}

function descriptors(): string[] {
  return readdirSync('/proc/self/fd').sort();
}

/** The elements of a listing, without its metainfo. */
export function elementsOf({ nftables }: Ruleset): RulesetElement[] {
  return nftables.filter((item): item is RulesetElement => !('metainfo' in item));
}

/** One element of a listing, by its kind and name. */
export function find<K extends string>(ruleset: Ruleset, kind: K, name: string): Record<string, unknown> {
  const found = elementsOf(ruleset)
    .map((element) => (element as unknown as Record<string, Record<string, unknown>>)[kind])
    .find((node) => node?.name === name);
  assert.ok(found, `no ${kind} ${name} is listed`);
  return found;
}

/** The statements of a chain's rules, in their order. */
export function rulesOf(ruleset: Ruleset, chain: string): unknown[] {
  return elementsOf(ruleset).flatMap((element) =>
    'rule' in element && element.rule.chain === chain ? [element.rule.expr] : [],
  );
}
