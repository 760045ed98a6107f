/**
 * A reporter of node:test that says one thing, at the end: which tests were skipped, and why.
 * JavaScript, because Node loads reporters before the loader for TypeScript.
 *
 * @param {AsyncIterable<import('node:test/reporters').TestEvent>} events
 */
export default async function* skipped(events) {
  const byReason = new Map();
  for await (const { type, data } of events) {
    if (type !== 'test:pass' || data.skip === undefined || data.skip === false) continue;
    const reason = data.skip === true || data.skip === '' ? 'no reason given' : data.skip;
    byReason.set(reason, [...(byReason.get(reason) ?? []), nameOf(data)]);
  }
  for (const [reason, names] of byReason) {
    yield `\nskipped: ${reason}\n${names.map((name) => `  ${name}\n`).join('')}`;
  }
}

function nameOf({ file, name }) {
  return file === undefined ? name : `${file.slice(file.lastIndexOf('/test/') + 1)}: ${name}`;
}
