import { type Instruction, OBJECT_TYPES, type SetElement } from '../bytecode/index.ts';

/** A thing of a table as text: what names share, and the name. Sets and maps share theirs. */
export function thing(kind: string, name: string): string {
  return `${kind === 'map' ? 'set' : kind} ${name}`;
}

const objectKinds = new Map(Object.entries(OBJECT_TYPES).map(([kind, type]) => [type as number, kind]));

/** The kind of object that a number (NFT_OBJECT_*) means. */
export function objectKind(type: number | undefined): string | undefined {
  return type === undefined ? undefined : objectKinds.get(type);
}

/** What an instruction names: it must be there before, and can only go after. */
export function referencesOf(instruction: Instruction, isNamed: (set: string) => boolean): string[] {
  const found: string[] = [];
  if ('set' in instruction && typeof instruction.set === 'string' && isNamed(instruction.set)) {
    found.push(thing('set', instruction.set));
  }
  switch (instruction.name) {
    case 'immediate':
      found.push(...chainOf(instruction.data));
      break;
    case 'objref':
      if (instruction.object !== undefined && instruction.type !== undefined) {
        found.push(thing(objectKind(instruction.type) ?? '', instruction.object));
      }
      break;
    case 'flow_offload':
      found.push(thing('flowtable', instruction.table));
      break;
  }
  return found;
}

/**
 * What an element of a map names.
 *
 * @param objects - the kind of object that the map's values are, where they are objects
 */
export function elementReferences(element: SetElement, objects: string | undefined): string[] {
  return [
    ...(element.object === undefined || objects === undefined ? [] : [thing(objects, element.object)]),
    ...chainOf(element.data),
  ];
}

function chainOf(data: unknown): string[] {
  if (typeof data !== 'object' || data === null || !('chain' in data)) return [];
  return typeof data.chain === 'string' ? [thing('chain', data.chain)] : [];
}
