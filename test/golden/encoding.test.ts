import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Instruction, instructionText } from '../../src/bytecode/index.ts';
import { CompileError } from '../../src/linearize/index.ts';
import { MESSAGE, rule as ruleSchema } from '../../src/message/index.ts';
import { families } from '../../src/protocol/index.ts';
import { AttributeWriter } from '../../src/wire/attribute-writer.ts';
import { encode } from '../../src/wire/schema.ts';
import { printAttributes } from '../native/printer.ts';
import { requires } from '../support/requirements.ts';
import { compilerOf, readVectors } from '../unit/delinearize/vector.ts';

process.env.TZ = 'UTC-2';

/** Instructions that the libnftnl of Debian 12 does not know, or prints less of. */
const newer: ReadonlySet<string> = new Set(['inner', 'last']);

const fold = (text: string) => text.trim().replace(/\s+/g, ' ');

/** What libnftnl reads out of the encoded instructions. */
function printed(family: keyof typeof families, instructions: readonly Instruction[]): string[] {
  const writer = new AttributeWriter();
  encode(ruleSchema, { table: 't', chain: 'c', expressions: instructions }, writer);
  const text = printAttributes(MESSAGE.NEWRULE, families[family].number, writer.bytes());
  return text
    .split('\n')
    .filter((line) => line.trim().startsWith('['))
    .map(fold);
}

const printer = fileURLToPath(new URL('../../native/test/build/Release/nftnl_printer.node', import.meta.url));
const available = existsSync(printer) ? requires('vectors') : { skip: 'the printer is not built' };

test('libnftnl reads out of the encoded rules what was compiled', available, () => {
  let compared = 0;
  for (const vector of readVectors()) {
    let instructions: readonly Instruction[];
    try {
      ({ instructions } = compilerOf(vector).compile(vector.expr));
    } catch (error) {
      if (error instanceof CompileError) continue;
      throw error;
    }
    const known = instructions.filter(({ name }) => !newer.has(name));
    assert.deepEqual(
      printed(vector.family, known),
      known.map((one) => fold(instructionText(one))),
      vector.id,
    );
    compared += known.length;
  }
  assert.ok(compared > 5000);
});
