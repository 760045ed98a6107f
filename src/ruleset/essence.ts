import {
  type Data,
  essence,
  type Instruction,
  type IsNamed,
  type KnownSet,
  SET_FLAGS,
  type SetElement,
  understood,
  unpackElements,
} from '../bytecode/index.ts';
import { flowOf } from '../delinearize/flow.ts';
import { delinearizeSet } from '../delinearize/object/set.ts';
import { MESSAGE } from '../message/index.ts';
import type { Family } from '../model/index.ts';
import { elementKey, type OutgoingMessage, type SchemaMessage } from '../transaction/index.ts';
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

/** Where a rule stands. */
export interface RulePlace {
  readonly family: Family;
  readonly isNamed: IsNamed;
  /** A named set of its table. */
  set(name: string): KnownSet | undefined;
}

/**
 * The essence of the rule that these messages make: what it does, however it is put. In its anonymous sets order is
 * chance, and how often an element is said.
 */
export function ruleEssence(messages: readonly OutgoingMessage[], place: RulePlace): RuleEssence {
  const references: string[] = [];
  const filled: string[] = [];
  const own = new Map<number | undefined, OwnSet>();
  let text = '';
  for (const message of messages) {
    if (message.kind === 'elements') {
      const set = own.get(message.setId) as OwnSet;
      const told = message.elements;
      const elements = 'rows' in told ? [...unpackElements(told)] : told;
      for (const element of elements) {
        set.elements.add(`${elementKey(element)} ${elementContent(element, place.isNamed)}`);
        references.push(...elementReferences(element, set.objects));
      }
      continue;
    }
    const value = message.value as Partial<{
      id: number;
      expressions: readonly Instruction[];
      userdata: Uint8Array;
      objectType: number;
    }>;
    if (message.type === MESSAGE.NEWSET) {
      const { known } = delinearizeSet(place.family, message.value);
      own.set(value.id, {
        known,
        text: setText(message),
        objects: objectKind(value.objectType),
        elements: new Set(),
      });
      continue;
    }
    const instructions = (value.expressions ?? []).map((instruction) => uncounted(understood(instruction)));
    text = `${whatIsDone(instructions, own, place).join('\n')}\nuserdata ${hex(value.userdata)}`;
    for (const instruction of instructions) {
      const named = referencesOf(instruction, place.isNamed);
      references.push(...named);
      if (instruction.name === 'dynset') filled.push(...named);
    }
  }
  return { text, references, filled };
}

/** A set that belongs to the rule alone. */
interface OwnSet {
  readonly known: KnownSet;
  readonly text: string;
  readonly elements: Set<string>;
  /** What the values of a map are the names of. */
  readonly objects: string | undefined;
}

/** What the kernel does not ask of a set that nobody can name: its keys' type, and what nft has noted. */
const NOTES: ReadonlySet<string> = new Set(['keyType', 'userdata']);

/** The properties of an anonymous set; the size of one that does not change is how many elements it has. */
function setText(message: SchemaMessage): string {
  const { flags = 0 } = message.value as { flags?: number };
  const counts = (flags & SET_FLAGS.constant) === 0;
  return [...propertiesOf('set', message)]
    .filter(([name]) => !NOTES.has(name) && (counts || name !== 'size'))
    .map(([name, bytes]) => `${name} ${bytes}`)
    .sort()
    .join(' ');
}

/** What a rule does, its own sets named after what is in them; where it is not understood, its instructions. */
function whatIsDone(
  instructions: readonly Instruction[],
  own: ReadonlyMap<number | undefined, OwnSet>,
  place: RulePlace,
): readonly string[] {
  const renamed = new Map<string, KnownSet>();
  const named = instructions.map((instruction) => {
    const set = 'setId' in instruction ? own.get(instruction.setId) : undefined;
    if (set === undefined) return instruction;
    const contents = `${set.text} { ${[...set.elements].sort().join(', ')} }`;
    // Loaded here, because it takes a tenth of the time in which all of this starts.
    const { createHash } = process.getBuiltinModule('node:crypto');
    const name = `${OWN}${createHash('sha256').update(contents).digest('hex')}`;
    renamed.set(name, set.known);
    return { ...instruction, set: name } as Instruction;
  });
  const isNamed: IsNamed = (name) => name.startsWith(OWN) || place.isNamed(name);
  const set = (name: string) => renamed.get(name) ?? place.set(name);
  return (
    flowOf(named, { family: place.family, isNamed, set }) ??
    named.map((instruction) => essence(instruction, isNamed))
  );
}

/** How the names of own sets begin here: no other name holds a zero. */
const OWN = '\0';
