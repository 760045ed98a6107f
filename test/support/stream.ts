// Counts the elements of a set one by one, in a process of its own, and tells the most memory that it took.
import { readFileSync } from 'node:fs';
import { connect } from '../../src/index.ts';

const [netns = ''] = process.argv.slice(2);
const nft = connect({ netns });
let count = 0;
for await (const _ of nft.elements({ family: 'inet', table: 't', name: 's' })) count++;
nft.close();
const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
console.log(JSON.stringify({ count, peak: Math.round(Number(kilobytes) / 1024) }));
