import type { Chain, Rule } from '../model/index.ts';
import { formatPriority } from '../protocol/index.ts';
import type { Head } from './head.ts';
import { type FormatOptions, handleText } from './options.ts';
import { ruleText } from './rule.ts';
import { block, checked, deviceName, listOf, name, quoted } from './text.ts';

function devices({ dev }: Chain): string {
  const names = listOf(dev);
  if (names.length === 0) return '';
  return names.length === 1
    ? `device ${quoted(names[0] as string)} `
    : `devices = { ${names.map(deviceName).join(', ')} } `;
}

/** In words a priority is nft syntax already. */
function priority({ family, hook, prio = 0 }: Chain): string {
  if (typeof prio === 'string') return checked(prio);
  return hook === undefined ? String(prio) : formatPriority(family, hook, prio);
}

/** `type filter hook input priority filter; policy accept;` of a base chain. */
function base(chain: Chain): string[] {
  const { type, hook, policy } = chain;
  if (type === undefined || hook === undefined) return [];
  const end = policy === undefined ? '' : ` policy ${name(policy)};`;
  return [`type ${name(type)} hook ${name(hook)} ${devices(chain)}priority ${priority(chain)};${end}`];
}

/** A chain with its rules. */
export function chainText(chain: Chain, rules: readonly Rule[], head: Head, options: FormatOptions): string {
  const comment = chain.comment === undefined ? [] : [`comment ${quoted(chain.comment)}`];
  const lines = [...comment, ...base(chain), ...rules.map((rule) => ruleText(rule, options))];
  return block(head('chain', chain), lines, handleText(chain.handle, options));
}
