// What a balancer stops doing when another process has taken over: accepting, and whatever acts outside. It relays on.
import type { ClientSide } from './client-side.ts';
import type { RunningControl } from './control/control.ts';
import type { ScaleDriver } from './control/scale-driver.ts';
import type { ScalingLoop } from './control/scaling.ts';
import type { Edges } from './edges.ts';
import type { ConfiguredOutputs } from './outputs-wiring.ts';

/** The parts that stop, wholly or in part. */
export interface RetiringParts {
  readonly clients: ClientSide;
  readonly control: RunningControl;
  readonly scaling: ScalingLoop;
  readonly scaleDriver: ScaleDriver;
  readonly outputs: ConfiguredOutputs;
  readonly edges: Edges | undefined;
  /** The new process has the admin socket's file. */
  readonly keepsFile: boolean;
}

/** Resolves when nothing is accepted or told outside any more. Connections, requests in progress and drains go on. */
export async function retire(parts: RetiringParts): Promise<void> {
  const { clients, control, scaling, scaleDriver, outputs, edges, keepsFile } = parts;
  await clients.stopAccepting();
  control.retire();
  scaling.stop();
  scaleDriver.stop();
  // What waits to be sent is in the state that was handed over: the new process sends it.
  await Promise.all([edges?.retire({ keepsFile }), outputs.stop(0)]);
}
