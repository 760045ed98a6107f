export { type DiffOptions, diff, type TableName } from './diff.ts';
export { commitGrowing, grow, type SetName } from './grow.ts';
export { type Plan, plan, type Reconciled, type ReconcileOptions, reconcile } from './reconcile.ts';
