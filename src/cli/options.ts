import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from './command.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<O extends Options> = ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>>;

/** Parses a command's arguments; `--netns` means the same everywhere. */
export function parseOptions<const O extends Options>(
  args: readonly string[],
  options: O,
  positionals: readonly [least: number, most: number],
): Parsed<O> {
  let parsed: Parsed<O>;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true }) as Parsed<O>;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const [least, most] = positionals;
  const count = parsed.positionals.length;
  if (count < least) throw new UsageError('an argument is missing');
  if (count > most) throw new UsageError(`unexpected argument: ${parsed.positionals[most]}`);
  return parsed;
}

/** `--netns NAME|PATH|PID` as the connection takes it; a bare name is one of `ip netns`. */
export function namespaceOption(value: string | undefined): { netns?: string | number } {
  if (value === undefined) return {};
  if (/^\d+$/.test(value)) return { netns: Number(value) };
  return { netns: value.includes('/') ? value : `/run/netns/${value}` };
}

/** The option of all commands that talk to the kernel. */
export const netnsOption = { netns: { type: 'string' } } as const;

export const netnsHelp =
  '  --netns NAME|PATH|PID   the network namespace: a name of `ip netns`, a path, or a process in it';
