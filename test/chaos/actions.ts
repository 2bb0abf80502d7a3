// The table of all that a run does to the fleet. When which is done is schedule.ts.
import type { Action } from './action.ts';
import { processActions } from './process-actions.ts';
import { stateActions } from './state-actions.ts';

/** All actions: what balancers share breaks in the first rows, processes in the others. */
export const actions: readonly Action[] = [...stateActions, ...processActions];
