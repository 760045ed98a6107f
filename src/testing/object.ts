import { OBJECT_TYPES } from '../bytecode/index.ts';
import { MESSAGE, NLM, objectData, object as schema } from '../message/index.ts';
import { AttributeWriter } from '../wire/attribute-writer.ts';
import { decodeOpen, encode, type ValueOf } from '../wire/schema.ts';
import type { BatchMessage } from './program-reader.ts';
import { demand } from './refusal.ts';
import { nextHandle, type Run, tableOf } from './run.ts';
import { isObjectType, type NftObject, objectKey } from './state.ts';
import { objectValue } from './tell.ts';

const NFTA_OBJ = { name: 2, type: 3, handle: 6 } as const;
/** Those that a second declaration changes. */
const CHANGEABLE: readonly number[] = [OBJECT_TYPES.quota, OBJECT_TYPES.synproxy];

/** NFT_MSG_NEWOBJ */
export function newObject(run: Run, message: BatchMessage): void {
  const { name, type, data, ...value } = decodeOpen(schema, message.attributes).value;
  demand(name !== undefined && type !== undefined && data !== undefined, 'EINVAL');
  const table = tableOf(run, message, value.table);
  const there = table.objects.get(objectKey(type, name));
  if (there !== undefined) {
    demand(!(message.flags & NLM.EXCL), 'EEXIST', NFTA_OBJ.name);
    if (!CHANGEABLE.includes(type)) return;
    run.journal.set(there, 'data', changed(there, data));
    run.news.made(message, MESSAGE.NEWOBJ, schema, () => objectValue(there));
    return;
  }
  demand(isObjectType(type), 'ENOENT');
  const object: NftObject = {
    table,
    name,
    type,
    handle: nextHandle(table),
    data,
    userdata: value.userdata,
    use: 0,
  };
  run.journal.map(table, 'objects').set(objectKey(type, name), object);
  run.news.made(message, MESSAGE.NEWOBJ, schema, () => objectValue(object));
}

/** A quota keeps what is used of it. */
function changed({ type, data: before }: NftObject, data: Uint8Array): Uint8Array {
  if (type !== OBJECT_TYPES.quota) return data;
  const { consumed } = decodeOpen(objectData.quota, before).value;
  const next = decodeOpen(objectData.quota, data).value as ValueOf<typeof objectData.quota>;
  const writer = new AttributeWriter(64);
  encode(objectData.quota, { ...next, ...(consumed === undefined ? {} : { consumed }) }, writer);
  return writer.bytes().slice();
}

/** NFT_MSG_DELOBJ and NFT_MSG_DESTROYOBJ */
export function deleteObject(run: Run, message: BatchMessage): void {
  const { name, type, handle, table: tableName } = decodeOpen(schema, message.attributes).value;
  demand(type !== undefined && (name !== undefined || handle !== undefined), 'EINVAL');
  const table = tableOf(run, message, tableName);
  const object =
    handle === undefined
      ? table.objects.get(objectKey(type, name ?? ''))
      : [...table.objects.values()].find((one) => one.handle === handle && one.type === type);
  if (object === undefined && message.type === MESSAGE.DESTROYOBJ) return;
  const named = handle === undefined ? NFTA_OBJ.name : NFTA_OBJ.handle;
  demand(object, 'ENOENT', named);
  demand(object.use === 0, 'EBUSY', named);
  run.news.gone(message, MESSAGE.DELOBJ, schema, objectValue(object));
  run.journal.map(table, 'objects').delete(objectKey(object.type, object.name));
}
