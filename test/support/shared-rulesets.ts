import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, type Ruleset, stringify } from '../../src/index.ts';
import { elementsOf, type Kernel } from './kernel.ts';
import { type RequirementName, requires, vectorsDirectory } from './requirements.ts';

const directory = join(vectorsDirectory, 'rulesets');

/** One of the shared rulesets. */
export interface SharedRuleset {
  readonly name: string;
  readonly path: string;
  readonly ruleset: Ruleset;
}

/** All of them; none where the vectors are not here. */
export function sharedRulesets(): SharedRuleset[] {
  const files = existsSync(directory) ? readdirSync(directory).filter((file) => file.endsWith('.json')) : [];
  return files.sort().map((name) => {
    const path = join(directory, name);
    return { name, path, ruleset: parse(readFileSync(path, 'utf8')) };
  });
}

/** In the test VM, only those rulesets that other kernels may not take: emulation is slow. */
export function rulesetsForKernel(): SharedRuleset[] {
  return sharedRulesets().filter(
    ({ ruleset }) => process.env.NFTJS_VM !== 'true' || kindsOf(ruleset).has('flowtable'),
  );
}

function kindsOf(ruleset: Ruleset): Set<string> {
  return new Set(elementsOf(ruleset).flatMap((element) => Object.keys(element)));
}

/** The options of a ruleset's test. */
export function optionsOf(ruleset: Ruleset): { skip: string | false } {
  const kinds = kindsOf(ruleset);
  if (kinds.has('secmark')) return { skip: 'security marks need a security module' };
  const needs: RequirementName[] = [];
  if (kinds.has('flowtable')) needs.push('flowtable');
  if (stringify(ruleset).includes('"tunnel"')) needs.push('tunnel-headers');
  return requires(...needs);
}

/** Makes the devices that chains and flowtables name. */
export function prepare({ run }: Kernel, ruleset: Ruleset): void {
  const named = elementsOf(ruleset).flatMap((element) => {
    const node = 'chain' in element ? element.chain : 'flowtable' in element ? element.flowtable : undefined;
    return node?.dev ?? [];
  });
  const devices = [...new Set(named)].filter((device) => device !== 'lo');
  const commands = ['link set lo up', ...devices.map((device) => `link add ${device} type bridge`)];
  run('ip', ['-batch', '-'], `${commands.join('\n')}\n`);
}
