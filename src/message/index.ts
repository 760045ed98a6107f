export { NLM } from '../wire/netlink.ts';
export { chain, hook, POLICIES } from './chain.ts';
export { element, elementList } from './element.ts';
export * from './element-reader.ts';
export { FLOWTABLE_FLAGS, flowtable } from './flowtable.ts';
export { generation } from './generation.ts';
export { object, objectData } from './object.ts';
export {
  CT_L3_PROTOCOLS,
  CT_TIMEOUT_STATES,
  ERSPAN_DIRECTIONS,
  SYNPROXY_FLAGS,
  SYNPROXY_GIVEN,
} from './object-constants.ts';
export { LOG_PACKET, type LogConfig, logConfig, packetLog } from './packet-log.ts';
export { encodedRule, rule } from './rule.ts';
export { SET_POLICIES, set, VERDICT_TYPE } from './set.ts';
export { TABLE_FLAGS, table } from './table.ts';
export { TRACE_TYPES, trace } from './trace.ts';
export { MESSAGE, type MessageName } from './types.ts';
