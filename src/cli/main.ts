#!/usr/bin/env node
import { run } from './run.ts';

// Whoever reads our output may stop reading: `nftjs list | head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  get columns() {
    return process.stderr.isTTY ? process.stderr.columns : undefined;
  },
});
