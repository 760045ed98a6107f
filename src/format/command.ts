import type { Command, ObjectRef, Rule, RulesetElement } from '../model/index.ts';
import { alone, tableName } from './head.ts';
import { formatObject } from './ruleset.ts';
import { NotInSyntax, name, orComment } from './text.ts';

/**
 * A command in nft syntax, as `nft -f` takes it: `delete rule inet filter input handle 7`.
 *
 * What nft syntax cannot say stands there as one line of comment, `# not in nft syntax: …` and its JSON.
 */
export function formatCommand(command: Command): string {
  const [[verb, target]] = Object.entries(command) as [[string, RulesetElement]];
  const [[kind, node]] = Object.entries(target) as [[string, ObjectRef & Rule]];
  return orComment(command, () => {
    switch (verb) {
      case 'add':
      case 'create':
      case 'insert':
      case 'replace':
        return kind === 'rule' ? ruleCommand(verb, node) : described(verb, target);
      case 'delete':
      case 'destroy':
        if (kind === 'rule')
          return `${verb} rule ${tableName(node)} ${name(node.chain)} handle ${node.handle}`;
        if (kind === 'element' || 'dev' in node) return described(verb, target);
        return `${verb} ${head(kind, node)}`;
      case 'flush':
        if (kind === 'ruleset') return node?.family ? `flush ruleset ${name(node.family)}` : 'flush ruleset';
        return `flush ${head(kind, node)}`;
      case 'rename':
        return `rename ${head(kind, node)} ${name((node as unknown as { newname: string }).newname)}`;
      default:
        throw new NotInSyntax(`${verb} has no words here`);
    }
  });
}

function head(kind: string, node: ObjectRef): string {
  return kind === 'table' ? `table ${name(node.family)} ${name(node.name)}` : alone(kind, node);
}

/** The verb and the whole object; where that is a comment, so is the command. */
function described(verb: string, element: RulesetElement): string {
  const text = formatObject(element);
  return text.startsWith('#') ? text : `${verb} ${text}`;
}

function ruleCommand(verb: string, rule: Rule): string {
  const { handle, index, ...rest } = rule;
  const text = formatObject({ rule: rest });
  if (text.startsWith('#')) return text;
  const place = `rule ${tableName(rule)} ${name(rule.chain)} `;
  const at = handle !== undefined ? `handle ${handle} ` : index !== undefined ? `index ${index} ` : '';
  return `${verb} ${place}${at}${text.slice(place.length)}`;
}
