import assert from 'node:assert/strict';
import type { Session } from './driver.ts';
import { kernel, messages, nftjs, queries, wire } from './library.ts';
import { TABLE } from './work.ts';

const INET = 1;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;

/** Makes sure that the set of the bench's table holds so many elements: the work was done, not skipped. */
export function expectElements(set: string, expected: number, session?: Session): void {
  assert.equal(session?.count?.(set) ?? countElements(set), expected, `elements of ${set}`);
}

function countElements(set: string): number {
  const nft = nftjs.connect();
  const query = queries.query(kernel.MESSAGE.GETSETELEM, INET, kernel.elementList, {
    table: TABLE.table,
    set,
  });
  let found = 0;
  for (const { attributes } of messages.readMessages(nft.socket.dumpSync(query).messages)) {
    for (const { id, payload } of wire.readAttributes(attributes)) {
      if (id === NFTA_SET_ELEM_LIST_ELEMENTS) found += wire.readAttributes(payload).length;
    }
  }
  nft.close();
  return found;
}

/** Makes sure that there are so many rules. */
export function expectRules(expected: number): void {
  const nft = nftjs.connect();
  const dump = nft.socket.dumpSync({ type: kernel.MESSAGE.GETRULE, family: 0 });
  nft.close();
  assert.equal([...messages.readMessages(dump.messages)].length, expected, 'rules');
}

/** Empties the namespace, so that a round starts from nothing. */
export function flushRuleset(): void {
  const nft = nftjs.connect();
  nft.commitSync([{ flush: { ruleset: null } }]);
  nft.close();
}
