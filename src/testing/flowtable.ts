import { MESSAGE, NLM, flowtable as schema } from '../message/index.ts';
import { decodeOpen } from '../wire/schema.ts';
import type { BatchMessage } from './program-reader.ts';
import { demand } from './refusal.ts';
import { nextHandle, type Run, tableOf } from './run.ts';
import type { Flowtable } from './state.ts';
import { flowtableName, flowtableValue } from './tell.ts';

const NFTA_FLOWTABLE = { name: 2, hook: 3, handle: 5 } as const;

/** NFT_MSG_NEWFLOWTABLE */
export function newFlowtable(run: Run, message: BatchMessage): void {
  const { value } = decodeOpen(schema, message.attributes);
  const { name, hook } = value;
  demand(name !== undefined && hook !== undefined, 'EINVAL');
  const table = tableOf(run, message, value.table);
  const there = table.flowtables.get(name);
  const devices = [...(hook.devices ?? [])];
  for (const device of devices) demand(run.machine.hasInterface(device), 'ENOENT', NFTA_FLOWTABLE.hook);
  if (there !== undefined) {
    demand(!(message.flags & NLM.EXCL), 'EEXIST', NFTA_FLOWTABLE.name);
    demand(hook.priority === undefined || hook.priority === there.priority, 'EOPNOTSUPP');
    demand(value.flags === undefined || value.flags === (there.flags ?? 0), 'EOPNOTSUPP');
    const added = devices.filter((device) => !there.devices.includes(device));
    run.journal.set(there, 'devices', [...there.devices, ...added]);
    run.news.made(message, MESSAGE.NEWFLOWTABLE, schema, () => flowtableValue({ ...there, devices: added }));
    return;
  }
  demand(run.machine.hasFlowtables, 'ENOENT');
  demand(hook.priority !== undefined, 'EINVAL');
  const flowtable: Flowtable = {
    table,
    name,
    handle: nextHandle(table),
    priority: hook.priority,
    devices,
    flags: value.flags,
    use: 0,
  };
  run.journal.map(table, 'flowtables').set(name, flowtable);
  run.news.made(message, MESSAGE.NEWFLOWTABLE, schema, () => flowtableValue(flowtable));
}

/** NFT_MSG_DELFLOWTABLE and NFT_MSG_DESTROYFLOWTABLE */
export function deleteFlowtable(run: Run, message: BatchMessage): void {
  const { name, handle, table: tableName } = decodeOpen(schema, message.attributes).value;
  const table = tableOf(run, message, tableName);
  const flowtable =
    handle === undefined
      ? table.flowtables.get(name ?? '')
      : [...table.flowtables.values()].find((one) => one.handle === handle);
  if (flowtable === undefined && message.type === MESSAGE.DESTROYFLOWTABLE) return;
  const named = handle === undefined ? NFTA_FLOWTABLE.name : NFTA_FLOWTABLE.handle;
  demand(flowtable, 'ENOENT', named);
  demand(flowtable.use === 0, 'EBUSY', named);
  run.news.gone(message, MESSAGE.DELFLOWTABLE, schema, flowtableName(flowtable));
  run.journal.map(table, 'flowtables').delete(flowtable.name);
}
