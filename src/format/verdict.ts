import { name } from './text.ts';

const jump =
  (word: string) =>
  ({ target }: { readonly target: string }): string =>
    `${word} ${name(target)}`;

/** One row for each verdict, by its key in the JSON: they are statements, and values of maps. */
export const verdicts: Readonly<Record<string, (node: never) => string>> = {
  accept: () => 'accept',
  drop: () => 'drop',
  continue: () => 'continue',
  return: () => 'return',
  jump: jump('jump'),
  goto: jump('goto'),
};
