import type { Scenario } from '../scenario.ts';
import { chainScenarios } from './chains.ts';
import { elementScenarios } from './elements.ts';
import { intervalScenarios } from './intervals.ts';
import { jumpScenarios } from './jumps.ts';
import { mapScenarios } from './maps.ts';
import { objectScenarios } from './objects.ts';
import { placementScenarios } from './placement.ts';
import { ruleScenarios } from './rules.ts';
import { setScenarios } from './sets.ts';
import { tableScenarios } from './tables.ts';
import { timeoutScenarios } from './timeouts.ts';
import { updateScenarios } from './updates.ts';

/** All that the fake kernel is to do as the kernel does. */
export const scenarios: readonly Scenario[] = [
  ...tableScenarios,
  ...chainScenarios,
  ...ruleScenarios,
  ...jumpScenarios,
  ...placementScenarios,
  ...setScenarios,
  ...elementScenarios,
  ...intervalScenarios,
  ...timeoutScenarios,
  ...mapScenarios,
  ...updateScenarios,
  ...objectScenarios,
];
