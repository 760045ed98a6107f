import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Statement } from '../../src/model/index.ts';

/** One rule of the corpus with all that nft must know to take it. */
export interface CorpusRule {
  /** File and line. */
  readonly place: string;
  readonly family: string;
  /** The base chain in nft's words: `type filter hook input priority 0;`. */
  readonly base: string;
  /** Sets, maps, objects and chains that the rule names: `set s { type ipv4_addr; }`. */
  readonly declarations: readonly string[];
  readonly rule: string;
  /** The rule in JSON, where it stands beside it because not every kernel takes the rule. */
  readonly expr?: readonly Statement[];
}

const directory = fileURLToPath(new URL('../corpus', import.meta.url));
const declaration =
  /^(?:set|map|chain|counter|quota|limit|ct helper|ct timeout|ct expectation|synproxy|secmark) (?!vmap)\w+ \{.*\}$/;

/**
 * The rules of `test/corpus/rules`, one a line, in sections:
 *
 * ```
 * # comment
 * [ip filter input]
 * set s { type ipv4_addr; }
 * ip saddr @s accept
 * queue num 3 => [{"queue":{"num":3}}]
 * ```
 */
export function corpusRules(): CorpusRule[] {
  return files('rules', '.txt').flatMap((file) => {
    let family = '';
    let base = '';
    let declarations: string[] = [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, i): CorpusRule[] => {
        const section = /^\[(\S+) (\S+) (\S+)(?: device (\S+))?\]$/.exec(line);
        if (section) {
          const [, name = '', type, hook, device] = section;
          family = name;
          base = `type ${type} hook ${hook}${device ? ` device ${device}` : ''} priority 0;`;
          declarations = [];
        } else if (declaration.test(line)) {
          declarations = [...declarations, line];
        } else if (line !== '' && !line.startsWith('#')) {
          const [rule = '', expr] = line.split(' => ');
          const place = `${basename(file)}:${i + 1}`;
          const needed = declarations.filter((text) => {
            const name = /(\w+) \{/.exec(text)?.[1];
            return new RegExp(`\\b${name}\\b`).test(rule);
          });
          const json = expr && { expr: JSON.parse(expr) as Statement[] };
          return [{ place, family, base, declarations: needed, rule, ...json }];
        }
        return [];
      });
  });
}

/** The rulesets of `test/corpus/rulesets` by name, in nft syntax. */
export function corpusRulesets(): ReadonlyMap<string, string> {
  return new Map(
    files('rulesets', '.nft').map((file) => [basename(file, '.nft'), readFileSync(file, 'utf8')]),
  );
}

function files(folder: string, ending: string): string[] {
  const path = join(directory, folder);
  return readdirSync(path)
    .filter((file) => file.endsWith(ending))
    .sort()
    .map((file) => join(path, file));
}
