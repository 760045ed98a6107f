import { dataText, elementsOf, instructionText, words, writeElementUserdata } from '../bytecode/index.ts';
import type { CompiledRule, SetDeclaration, SetElement } from '../linearize/index.ts';

/** An element in libnftnl's notation: `element 00001600  : accept 0 [end]`. */
export function elementText(element: SetElement): string {
  const key = element.key === undefined ? '' : words(element.key, '');
  const end = element.keyEnd === undefined ? '' : ` - ${words(element.keyEnd, '')} `;
  const data =
    element.data === undefined
      ? ''
      : element.data instanceof Uint8Array
        ? words(element.data, '')
        : dataText(element.data);
  return `element ${key} ${end} : ${data === '' ? '' : `${data} `}${element.flags ?? 0} [end]${userdataText(element)}`;
}

/** Bytes that print as themselves, the others in hexadecimal. */
function userdataText(element: SetElement): string {
  const userdata = writeElementUserdata(element);
  if (userdata === undefined) return '';
  const bytes = [...userdata].map((byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  );
  return `  userdata = { ${bytes.join('')} }`;
}

/** A new set and its elements, in libnftnl's notation. */
export function setText(set: SetDeclaration, table: string): string[] {
  const size = set.size === undefined ? '' : ` size ${set.size}`;
  return [
    `${set.name} ${table} ${set.flags.toString(16)}${size}`,
    `${set.name} ${table} 0`,
    elementsOf(set.elements).map(elementText).join('\t'),
  ];
}

/** A compiled rule as `nft --debug=netlink` shows it: its anonymous sets, then its instructions. */
export function bytecodeText(rule: CompiledRule, family: string, table: string, chain: string): string[] {
  return [
    ...rule.sets.flatMap((set) => setText(set, table)),
    `${family} ${table} ${chain}`,
    ...rule.instructions.map(instructionText),
  ];
}
