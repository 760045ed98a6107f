/** How a ruleset is written. */
export interface FormatOptions {
  /** Adds the kernel's numbers as comments, `# handle 4`: nft's option `-a`. */
  readonly handles?: boolean;
}

/** A handle behind what it belongs to, where it is asked for and known. */
export function handleText(handle: number | undefined, options: FormatOptions): string {
  return options.handles && handle !== undefined ? ` # handle ${handle}` : '';
}
