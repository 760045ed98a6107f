import { BenchUsageError, run } from './run.ts';

try {
  process.exitCode = await run(process.argv.slice(2), process);
} catch (error) {
  if (!(error instanceof BenchUsageError)) throw error;
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 2;
}
