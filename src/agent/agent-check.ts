// The agent as HAProxy's agent: what it answers to a check. The port is in agent-check-server.ts.
import type { Clock } from '../core/clock.ts';
import { encodeAgentCheck, weightPercentOf } from '../protocol/agent-check.ts';
import type { AgentCheckServer, OpenAgentCheckServer } from './agent-check-server.ts';
import type { AdminState, AgentEvent } from './event.ts';
import type { AgentCheckSettings } from './options.ts';
import { createOwnUtilization, type OwnUtilization } from './own-utilization.ts';
import type { Sample } from './sampler.ts';
import type { AgentCheckStatus } from './status.ts';

/** What an agent check is made of. */
export interface AgentCheckParts {
  readonly settings: AgentCheckSettings;
  readonly clock: Clock;
  readonly openServer: OpenAgentCheckServer;
  /** The wish of the balancers; undefined before the first answer and where there are none. */
  readonly adminState: () => AdminState | undefined;
  readonly tell: (event: AgentEvent) => void;
}

/** Answers HAProxy between `start` and `stop`. */
export class AgentCheck {
  readonly #parts: AgentCheckParts;
  #utilization: OwnUtilization;
  #server: AgentCheckServer | undefined;

  constructor(parts: AgentCheckParts) {
    this.#parts = parts;
    this.#utilization = createOwnUtilization(parts.settings.saturation, parts.clock.nowMs());
  }

  get status(): AgentCheckStatus {
    return { ...(this.#server?.status ?? { state: 'closed', address: undefined }), line: this.line() };
  }

  /** Opens the port. To be called once. */
  start(): void {
    const { settings, clock, openServer, tell } = this.#parts;
    this.#utilization = createOwnUtilization(settings.saturation, clock.nowMs());
    this.#server = openServer({ settings, clock, tell, line: () => this.line() });
  }

  absorb({ report, takenAtMs }: Sample): void {
    this.#utilization.absorb(report.signals, takenAtMs);
  }

  /** What a check is answered now. */
  line(): string {
    // Without a wish the node is ready: with `drain` instead, balancers that are away would take it out for ever.
    const adminState = this.#parts.adminState() ?? 'ready';
    if (adminState !== 'ready') return encodeAgentCheck({ adminState });
    return encodeAgentCheck({ adminState, weightPercent: weightPercentOf(this.#utilization.value) });
  }

  /** Closes the port. Nothing is said before: HAProxy keeps the last state, and its own check sees the node go. */
  async stop(): Promise<void> {
    await this.#server?.close();
  }
}
