import { AttributeWriter } from '../wire/attribute-writer.ts';
import { encode, type Schema, type ValueOf } from '../wire/schema.ts';
import type { DumpRequest } from './request.ts';

/** A question of this type, with attributes of a schema. */
export function query<S extends Schema>(
  type: number,
  family: number,
  schema: S,
  value: ValueOf<S>,
): DumpRequest {
  const writer = new AttributeWriter(128);
  encode(schema, value, writer);
  return { type, family, attributes: writer.bytes().slice() };
}
