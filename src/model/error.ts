/** A builder was given something that no ruleset can contain. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}
