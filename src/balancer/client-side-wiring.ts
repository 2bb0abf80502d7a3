// Where this balancer's clients are served, wired: by listeners of its own, or by a crew of workers.
import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { ListeningSockets } from '../platform/listening-sockets.ts';
import type { Logger } from '../platform/logger.ts';
import type { NodeLinks } from '../platform/node-links.ts';
import { serveByWorkers, serveHere, type ClientSide, type WorkersOption } from './client-side.ts';
import type { BalancerCore } from './core-wiring.ts';
import type { Metrics } from './metrics/metrics.ts';
import { tellNotice } from './notices.ts';
import { PublicListeners } from './public-listeners.ts';
import { createLearningSection } from './state/learning-section.ts';
import { createRegistrationsSection } from './state/registrations-section.ts';
import { Crew } from './workers/crew.ts';
import type { WorkerSettings } from './workers/messages.ts';

/** A crew that tells what it finds; none is started. What it needs of the rest is asked when it is there. */
export function createConfiguredCrew(parts: {
  readonly clock: Clock;
  readonly log: Logger;
  readonly core: () => BalancerCore;
  readonly metrics: () => Metrics | undefined;
}): Crew {
  const { clock, log, core, metrics } = parts;
  return new Crew({
    clock,
    tell: (event) => core().tell(event),
    notice: (level, event, facts) => {
      log[level](facts, event);
      tellNotice(core().events, event, facts);
    },
    counted: (process, series) => metrics()?.absorb(process, series),
  });
}

/** What serves the clients, not yet listening. */
export function createClientSide(parts: {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly core: BalancerCore;
  readonly sockets: ListeningSockets;
  readonly links: NodeLinks;
  /** The newest configuration. */
  readonly settings: () => WorkerSettings;
  /** Undefined: this process serves. */
  readonly workers: { readonly crew: Crew; readonly option: WorkersOption } | undefined;
}): ClientSide {
  const { clock, rng, log, core, sockets, links, settings, workers } = parts;
  const { registry, placement, dataPlane } = core;
  const { config } = settings();
  if (workers !== undefined) {
    const { crew, option } = workers;
    const sections = [
      createRegistrationsSection(registry, () => true),
      createLearningSection(registry, clock),
    ];
    const start = { registry, settings, sections: () => sections };
    return serveByWorkers(crew, { option, sockets, config, log, start });
  }
  const listeners = new PublicListeners({ config, clock, rng, log, registry, placement, sockets, links });
  return serveHere(listeners, () => {
    const policies = new Map([...registry.pools].map(([name, { policy }]) => [name, policy]));
    return { clock, rng, policies, dataPlane };
  });
}
