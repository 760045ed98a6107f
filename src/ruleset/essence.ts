import {
  type Data,
  essence,
  type Instruction,
  type IsNamed,
  type SetElement,
  understood,
  unpackElements,
} from '../bytecode/index.ts';
import { MESSAGE } from '../message/index.ts';
import { elementKey, type OutgoingMessage } from '../transaction/index.ts';
import { propertiesOf } from './properties.ts';
import { elementReferences, objectKind, referencesOf } from './reference.ts';
import { uncounted } from './state.ts';

/** What an instruction does, as text, whatever it has counted. */
export function instructionEssence(instruction: Instruction, isNamed: IsNamed): string {
  return essence(uncounted(understood(instruction)), isNamed);
}

const hex = (bytes: Uint8Array | undefined) =>
  bytes === undefined ? '' : Buffer.from(bytes).toString('hex');

/** What an element carries beside its key, as text; empty where there is nothing. Its time is not asked. */
export function elementContent(element: SetElement, isNamed: IsNamed): string {
  const { data, object, comment, expressions = [] } = element;
  const parts = [
    ...(data === undefined ? [] : [`data ${dataText(data)}`]),
    ...(object === undefined ? [] : [`object ${object}`]),
    ...(comment === undefined ? [] : [`comment ${JSON.stringify(comment)}`]),
    ...expressions.map((instruction) => instructionEssence(instruction, isNamed)),
  ];
  return parts.join(' ');
}

function dataText(data: Data): string {
  return data instanceof Uint8Array ? hex(data) : `${data.code} ${data.chain ?? ''}`;
}

/** What a rule does and what it names. */
export interface RuleEssence {
  readonly text: string;
  readonly references: readonly string[];
  /** Those of the references that it adds elements to. */
  readonly filled: readonly string[];
}

/** The essence of the rule that these messages make, with its anonymous sets: in these, order is chance. */
export function ruleEssence(messages: readonly OutgoingMessage[], isNamed: IsNamed): RuleEssence {
  const parts: string[] = [];
  const references: string[] = [];
  const filled: string[] = [];
  let objects: string | undefined;
  for (const message of messages) {
    if (message.kind === 'elements') {
      const elements = 'rows' in message.elements ? [...unpackElements(message.elements)] : message.elements;
      const texts = elements.map((element) => `${elementKey(element)} ${elementContent(element, isNamed)}`);
      parts.push(`{ ${texts.sort().join(', ')} }`);
      for (const element of elements) references.push(...elementReferences(element, objects));
      continue;
    }
    const { expressions, userdata, objectType } = message.value as Partial<{
      expressions: readonly Instruction[];
      userdata: Uint8Array;
      objectType: number;
    }>;
    if (message.type === MESSAGE.NEWSET) {
      objects = objectKind(objectType);
      parts.push(
        [...propertiesOf('set', message)]
          .map(([name, bytes]) => `${name} ${bytes}`)
          .sort()
          .join(' '),
      );
      continue;
    }
    for (const instruction of expressions ?? []) {
      parts.push(instructionEssence(instruction, isNamed));
      const named = referencesOf(understood(instruction), isNamed);
      references.push(...named);
      if (instruction.name === 'dynset') filled.push(...named);
    }
    parts.push(`userdata ${hex(userdata)}`);
  }
  return { text: parts.join('\n'), references, filled };
}
