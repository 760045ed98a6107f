import type { ObjectRef, TableRef } from '../model/index.ts';
import { name } from './text.ts';

/** How a thing is called: by its name inside its table's block, with family and table where it stands alone. */
export type Head = (kind: string, object: ObjectRef) => string;

/** `chain input` */
export const inside: Head = (kind, object) => `${kind} ${name(object.name)}`;

/** `inet filter` */
export function tableName({ family, table }: TableRef): string {
  return `${name(family)} ${name(table)}`;
}

/** `chain inet filter input` */
export const alone: Head = (kind, object) => `${kind} ${tableName(object)} ${name(object.name)}`;
