import type { Flowtable } from '../model/index.ts';
import { formatPriority } from '../protocol/index.ts';
import type { Head } from './head.ts';
import { type FormatOptions, handleText } from './options.ts';
import { block, checked, deviceName, listOf } from './text.ts';

/** A flowtable. Its priority is one of the netdev family, whose hook it sits at. */
export function flowtableText(flowtable: Flowtable, head: Head, options: FormatOptions): string {
  const { hook = 'ingress', prio = 0, dev, flags, handle } = flowtable;
  const devices = listOf(dev);
  const set = listOf(flags);
  const lines = [
    `hook ${hook} priority ${typeof prio === 'string' ? prio : formatPriority('netdev', hook, prio)}`,
    ...(devices.length > 0 ? [`devices = { ${devices.map(deviceName).join(', ')} }`] : []),
    ...(set.includes('offload') ? ['flags offload'] : []),
    ...(set.includes('counter') ? ['counter'] : []),
  ];
  return block(head('flowtable', flowtable), lines.map(checked), handleText(handle, options));
}
