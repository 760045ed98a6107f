import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  instructions as definitions,
  type Instruction,
  instructionData,
  type KnownSet,
  readInstruction,
  VERDICT,
  writeInstruction,
} from '../../../src/bytecode/index.ts';
import { datatype } from '../../../src/datatype/index.ts';
import { delinearizeRule, type RuleContext } from '../../../src/delinearize/index.ts';
import { compileRule } from '../../../src/linearize/index.ts';
import type { Statement } from '../../../src/model/index.ts';
import type { FamilyName } from '../../../src/protocol/index.ts';
import { AttributeWriter } from '../../../src/wire/attribute-writer.ts';
import { wire } from './vector.ts';

const context = (family: FamilyName, more: Partial<RuleContext> = {}): RuleContext => ({
  family,
  set: () => undefined,
  ...more,
});

const compile = (statements: readonly Statement[], family: FamilyName) =>
  compileRule(statements, family, undefined, { set: () => undefined, nextSetId: () => 1 }).instructions;

const opaque = (instruction: Instruction): Statement => ({
  opaque: {
    name: instruction.name === 'opaque' ? instruction.expression : instruction.name,
    data: Buffer.from(instructionData(instruction) ?? []).toString('hex'),
  },
});

const bytes = (...values: number[]) => Uint8Array.of(...values);
const unknown: Instruction = { name: 'opaque', expression: 'quantum', data: bytes(8, 0, 1, 0, 0, 0, 0, 1) };
const loadProtocol: Instruction = { name: 'meta', dreg: 1, key: 'l4proto' };
const isTcp: Instruction = { name: 'cmp', sreg: 1, op: 'eq', data: bytes(6) };
const accept: Instruction = { name: 'immediate', dreg: VERDICT, data: { code: 'accept' } };

/** Opaque or not, what is read goes back as it came. */
function goesBack(
  instructions: readonly Instruction[],
  statements: readonly Statement[],
  family: FamilyName,
) {
  assert.deepEqual(wire({ instructions: compile(statements, family) }), wire({ instructions }));
}

test('an instruction that is not known stays between those that are', () => {
  const rule = [loadProtocol, isTcp, unknown, accept];
  const read = delinearizeRule(rule, context('ip'));
  assert.deepEqual(read, [
    { match: { op: '==', left: { meta: { key: 'l4proto' } }, right: 'tcp' } },
    opaque(unknown),
    { accept: null },
  ]);
  goesBack(rule, read, 'ip');
});

test('a load that an unknown instruction may use stays with it', () => {
  const rule = [loadProtocol, unknown, isTcp, accept];
  const read = delinearizeRule(rule, context('ip'));
  assert.deepEqual(read, [opaque(loadProtocol), opaque(unknown), opaque(isTcp), { accept: null }]);
  goesBack(rule, read, 'ip');
});

test('a load that nothing uses is not lost', () => {
  const rule = [loadProtocol, accept];
  const read = delinearizeRule(rule, context('ip6'));
  assert.deepEqual(read, [opaque(loadProtocol), { accept: null }]);
  goesBack(rule, read, 'ip6');
});

test('a comparison of an unset register stays as it is', () => {
  assert.deepEqual(delinearizeRule([isTcp], context('ip')), [opaque(isTcp)]);
});

test('extensions of iptables stay as they are', () => {
  const match: Instruction = { name: 'match', extension: 'comment', revision: 0, info: new Uint8Array(8) };
  const target: Instruction = { name: 'target', extension: 'MARK', revision: 2, info: new Uint8Array(8) };
  const rule = [loadProtocol, isTcp, match, target];
  const read = delinearizeRule(rule, context('ip'));
  assert.deepEqual(read.slice(1), [opaque(match), opaque(target)]);
  goesBack(rule, read, 'ip');
});

test('a set that is not known makes its lookup opaque, and the loads of its key', () => {
  const lookup: Instruction = { name: 'lookup', set: 'gone', sreg: 1 };
  const read = delinearizeRule([loadProtocol, lookup, accept], context('ip'));
  assert.deepEqual(read, [opaque(loadProtocol), opaque(lookup), { accept: null }]);
});

test('elements of an anonymous set that make no sense do not become something else', () => {
  const set: KnownSet = {
    name: '__set0',
    key: [],
    flags: 3,
    elements: [{ key: new Uint8Array() }],
  };
  const lookup: Instruction = { name: 'lookup', set: '__set0', sreg: 1 };
  const name: Instruction = { name: 'meta', dreg: 1, key: 'iifname' };
  const read = delinearizeRule(
    [name, lookup],
    context('ip', {
      set: () => ({ ...set, key: [{ type: datatype('ifname'), bits: 128, byteorder: 'host' }] }),
    }),
  );
  assert.deepEqual(read, [opaque(name), opaque(lookup)]);
});

test('truncated bytes are kept as they are', () => {
  const writer = new AttributeWriter();
  writeInstruction(writer, isTcp);
  const whole = writer.bytes().slice();
  for (let length = 0; length < whole.length; length++) {
    let instruction: Instruction;
    try {
      instruction = readInstruction(whole.subarray(0, length));
    } catch {
      continue;
    }
    const read = delinearizeRule([instruction], context('ip'));
    assert.deepEqual(read, [opaque(instruction)]);
  }
});

test('a reading that does not compile to the same is read less finely, then not at all', () => {
  const rule = compile(
    [{ match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 22 } }],
    'inet',
  );
  const port = { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 22 } };
  assert.deepEqual(delinearizeRule(rule, context('inet')), [port]);
  const kept = delinearizeRule(rule, context('inet', { faithful: (statements) => statements.length === 2 }));
  assert.deepEqual(kept, [{ match: { op: '==', left: { meta: { key: 'l4proto' } }, right: 'tcp' } }, port]);
  assert.deepEqual(delinearizeRule(rule, context('inet', { faithful: () => false })), rule.map(opaque));
});

test('counters beyond 2^53 are bigint', () => {
  const counter: Instruction = { name: 'counter', packets: 2n ** 53n, bytes: 7n };
  assert.deepEqual(delinearizeRule([counter], context('ip')), [
    { counter: { packets: 2n ** 53n, bytes: 7 } },
  ]);
});

/** A small generator of numbers, the same in every run. */
function* random(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 8;
  }
}

test('any bytes for any instruction are read without error and go back as they came', () => {
  const names = [...definitions.keys()];
  const numbers = random(1);
  const next = (below: number) => numbers.next().value % below;
  for (let round = 0; round < 3000; round++) {
    const rule = Array.from({ length: 1 + next(5) }, (): Instruction => {
      const name = names[next(names.length)] as string;
      const writer = new AttributeWriter();
      writer.string(1, name);
      writer.begin(2);
      for (let id = 1; id <= 6; id++) {
        if (next(8) === 0) continue;
        const kind = next(4);
        if (kind === 0) writer.u8(id, next(4));
        else if (kind === 1) {
          writer.begin(id);
          writer.raw(
            1,
            Uint8Array.from({ length: 1 + next(8) }, () => next(256)),
          );
          writer.end();
        } else writer.u32(id, next(24));
      }
      writer.end();
      return readInstruction(writer.bytes().slice());
    });
    const family = (['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'] as const)[next(6)] as FamilyName;
    const faithful = (statements: readonly Statement[]) => {
      try {
        return (
          wire({ instructions: compile(statements, family) }).join() === wire({ instructions: rule }).join()
        );
      } catch {
        return false;
      }
    };
    goesBack(rule, delinearizeRule(rule, context(family, { faithful })), family);
  }
});

test('a set of the rule’s own that it fills is a meter', () => {
  const meter: Statement = {
    meter: {
      name: 'm',
      key: { payload: { protocol: 'ip', field: 'saddr' } },
      stmt: { counter: null },
      size: 9,
    },
  };
  let made: KnownSet | undefined;
  const compiled = compileRule([meter], 'ip', undefined, { set: () => undefined, nextSetId: () => 1 });
  for (const { name, key, flags, size } of compiled.sets) made = { name, key, flags, size };
  assert.deepEqual(delinearizeRule(compiled.instructions, context('ip', { set: () => made })), [meter]);
});
