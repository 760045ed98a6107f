import { DatatypeError, datatype } from '../datatype/index.ts';
import {
  at,
  CompileError,
  checkName,
  evaluateStateful,
  MAX_8,
  MAX_16,
  MAX_32,
  OBJECT_TYPES,
  type ObjectType,
  whole,
} from '../linearize/index.ts';
import {
  CT_L3_PROTOCOLS,
  CT_TIMEOUT_STATES,
  MESSAGE,
  NLM,
  objectData,
  SYNPROXY_FLAGS,
  SYNPROXY_GIVEN,
  object as schema,
} from '../message/index.ts';
import { AttributeWriter } from '../wire/attribute-writer.ts';
import { encode } from '../wire/schema.ts';
import type { ParsedCommand } from './command.ts';
import { comment } from './comment.ts';
import type { TransactionContext } from './context.ts';
import { familyOf, handleOf, nameOf } from './reference.ts';
import { removeWith } from './remove.ts';
import { tunnelData } from './tunnel.ts';

type Data = Readonly<Record<string, unknown>>;

/** The longest name of a helper (NF_CT_HELPER_NAME_LEN), less its closing zero. */
const MAX_HELPER = 15;

/** The attributes of each kind of object, from its JSON. */
const contents: Readonly<
  Record<keyof typeof objectData, (command: ParsedCommand, context: TransactionContext) => Data>
> = {
  counter: (command, context) => {
    const { packets, bytes } = command.node;
    return stateful('counter', { packets, bytes }, command, context);
  },
  quota: (command, context) => {
    const { bytes, used, inv } = command.node;
    return stateful('quota', { val: bytes, used, inv }, command, context);
  },
  limit: (command, context) => {
    const { rate, rate_unit, per, burst, burst_unit, inv } = command.node;
    const limit = { rate, rate_unit, per, burst, burst_unit, inv };
    const { type, ...rest } = stateful('limit', limit, command, context);
    return { ...rest, type: type === 'bytes' ? 1 : 0 };
  },
  connlimit: ({ node }) => ({ count: node.count, flags: node.flags }),
  'ct helper': (command) => ({
    name: checkName(command.node.type, at(command.path, 'type'), MAX_HELPER),
    l3proto: l3(command),
    l4proto: protocol(command),
  }),
  'ct timeout': (command) => ({ l3proto: l3(command), l4proto: protocol(command), data: timeouts(command) }),
  'ct expectation': (command) => {
    return {
      l3proto: l3(command),
      l4proto: protocol(command),
      dport: upTo(MAX_16, command, 'dport'),
      timeout: upTo(MAX_32, command, 'timeout'),
      size: upTo(MAX_8, command, 'size'),
    };
  },
  tunnel: tunnelData,
  secmark: ({ node, path }) => ({ context: checkName(node.context, at(path, 'context')) }),
  synproxy: (command) => {
    const { flags } = command.node;
    const mss = upTo(MAX_16, command, 'mss');
    const wscale = upTo(MAX_8, command, 'wscale');
    let bits =
      (mss === undefined ? 0 : SYNPROXY_GIVEN.mss) | (wscale === undefined ? 0 : SYNPROXY_GIVEN.wscale);
    for (const flag of flags === undefined ? [] : Array.isArray(flags) ? flags : [flags]) {
      if (!Object.hasOwn(SYNPROXY_FLAGS, flag))
        throw new CompileError(
          at(command.path, 'flags'),
          `expected some of ${Object.keys(SYNPROXY_FLAGS).join(', ')}`,
        );
      bits |= SYNPROXY_FLAGS[flag as keyof typeof SYNPROXY_FLAGS];
    }
    return { mss: mss ?? 0, wscale: wscale ?? 0, flags: bits };
  },
};

/** The kinds of named object. */
export const objectKinds: readonly string[] = Object.keys(contents);

/** `counter`, `quota`, `limit`, `ct helper` … */
export function compileObject(command: ParsedCommand, context: TransactionContext): void {
  const kind = command.kind as ObjectType & keyof typeof objectData;
  const table = nameOf(command, 'table');
  const type = OBJECT_TYPES[kind];
  switch (command.verb) {
    case 'add':
    case 'create': {
      const how = command.verb === 'create' ? NLM.CREATE | NLM.EXCL : NLM.CREATE;
      const writer = new AttributeWriter(64);
      encode(objectData[kind], contents[kind](command, context) as never, writer);
      context.send(command, MESSAGE.NEWOBJ, how, schema, {
        table,
        name: nameOf(command),
        type,
        data: writer.bytes().slice(),
        ...comment(command),
      });
      return;
    }
    case 'delete':
    case 'destroy': {
      const handle = handleOf(command);
      const target =
        handle === undefined || command.node.name !== undefined ? { name: nameOf(command) } : { handle };
      removeWith(command, context, 'OBJ', schema, { table, type, ...target });
      return;
    }
    default:
      throw new CompileError(command.path, `expected add, create, delete or destroy, not ${command.verb}`);
  }
}

function stateful(
  kind: 'counter' | 'quota' | 'limit',
  node: Data,
  command: ParsedCommand,
  context: TransactionContext,
): Data {
  const scope = context.scope(familyOf(command), nameOf(command, 'table'));
  const { name: _, ...attributes } = evaluateStateful(kind, node, scope, command.path) as unknown as Data;
  return attributes;
}

/** The number of a key, where there is one. */
function upTo(greatest: number, { node, path }: ParsedCommand, key: string): number | undefined {
  return node[key] === undefined ? undefined : whole(node[key] as number, greatest, at(path, key));
}

function l3(command: ParsedCommand): number {
  const said = command.node.l3proto ?? command.node.family;
  if (!Object.hasOwn(CT_L3_PROTOCOLS, said as string))
    throw new CompileError(
      at(command.path, 'l3proto'),
      `expected one of ${Object.keys(CT_L3_PROTOCOLS).join(', ')}`,
    );
  return CT_L3_PROTOCOLS[said as keyof typeof CT_L3_PROTOCOLS];
}

function protocol({ node, path }: ParsedCommand): number {
  try {
    return Number(datatype('inet_proto').parse(node.protocol as string));
  } catch (error) {
    if (error instanceof DatatypeError)
      throw new CompileError(at(path, 'protocol'), error.message, { cause: error });
    throw error;
  }
}

function timeouts(command: ParsedCommand): Data {
  const states = CT_TIMEOUT_STATES[protocol(command)];
  if (states === undefined) throw new CompileError(at(command.path, 'protocol'), 'expected tcp or udp');
  const policy = (command.node.policy ?? {}) as Data;
  const place = at(command.path, 'policy');
  const data: Record<string, number> = {};
  for (const [state, seconds] of Object.entries(policy)) {
    const number = states.indexOf(state);
    if (number < 0) throw new CompileError(at(place, state), `expected one of ${states.join(', ')}`);
    if (typeof seconds !== 'number') throw new CompileError(at(place, state), 'expected a number of seconds');
    data[String(number + 1)] = whole(seconds, MAX_32, at(place, state));
  }
  return data;
}
