export { type DiffOptions, diff, type TableName } from './diff.ts';
export { compare, type Reconciled, type ReconcileOptions, reconcile } from './reconcile.ts';
