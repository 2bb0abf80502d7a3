// What the task of an instance is made with, and how it stands. Types only.
import type { Clock } from '../../core/clock.ts';
import type { Rng } from '../../core/rng.ts';
import type { AsgConfig } from '../../policy/config.ts';
import type { EventRecord } from '../../protocol/operations.ts';
import type { Control } from '../control/ports.ts';
import type { TellAws } from './asg-call.ts';

/** Where an instance stands. The last three are final; `failed` begins again when the event comes again. */
export type LifecycleState = 'looking' | 'draining' | 'completing' | 'completed' | 'failed' | 'leftAlone';

/** A node of an instance. */
export interface InstanceNode {
  readonly pool: string;
  readonly id: string;
}

/** What tasks share. */
export interface TaskDeps {
  readonly config: AsgConfig;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly control: Pick<Control, 'setAdminState' | 'operation'>;
  readonly tellAws: TellAws;
  readonly tell: (event: Omit<EventRecord, 'id' | 'at'>) => void;
  /** Aborted when the balancer stops. */
  readonly signal: AbortSignal;
  /** Nodes of an instance that are known now. */
  readonly nodesOf: (instance: string) => readonly InstanceNode[];
  /** Before this instant a node that is not known may only not have reported yet. */
  readonly settledAtMs: number;
}
