// What an agent is made of beside its settings; agent.ts hands in this machine's, tests hand in others.
import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { OpenAgentCheckServer } from './agent-check-server.ts';
import type { Traffic } from './observers/traffic.ts';
import type { ReportSender } from './report-sender.ts';
import type { Sensor } from './sensors/sensor.ts';

/** What the surroundings give to an agent. */
export interface AgentParts {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly traffic: Traffic;
  readonly sensors: Readonly<Record<string, Sensor>>;
  readonly eventLoopLagMaxMs: () => number;
  readonly openSender: (balancer: URL, token: string | undefined) => ReportSender;
  readonly openAgentCheckServer: OpenAgentCheckServer;
}
