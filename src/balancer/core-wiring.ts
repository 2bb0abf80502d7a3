// What every balancer has, put together: state, the loops over it, and who hears of what happens. No listeners here.
import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { NodeLinks } from '../platform/node-links.ts';
import type { Logger } from '../platform/logger.ts';
import { RunningControl } from './control/control.ts';
import { createEventFeed } from './control/event-feed.ts';
import type { EventFeed, ScaleExecutor } from './control/ports.ts';
import { ScaleDriver } from './control/scale-driver.ts';
import { ScalingLoop } from './control/scaling.ts';
import { createHealthChecker, type HealthChecker } from './health/checker.ts';
import { createProbe } from './health/probe.ts';
import { tellNotice } from './notices.ts';
import type { Notify } from './state/notice.ts';
import { createPlacement, type RunningPlacement } from './state/placement.ts';
import type { DataPlane } from './state/ports.ts';
import { Registry } from './state/registry.ts';
import { createRelayDataPlane } from './state/relay-data-plane.ts';

/** The parts of a balancer that need no sockets of its own. */
export interface BalancerCore {
  readonly registry: Registry;
  readonly dataPlane: DataPlane;
  readonly events: EventFeed;
  readonly control: RunningControl;
  readonly scaling: ScalingLoop;
  readonly scaleDriver: ScaleDriver;
  /** Tells an event, and writes it to the log. */
  readonly tell: EventFeed['tell'];
  readonly placement: RunningPlacement;
  readonly health: HealthChecker;
}

/** Makes them; none is started. */
export function createCore(parts: {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly pools: Parameters<Registry['configure']>[0];
  /** What starts and stops the nodes of a pool; undefined: nothing does. */
  readonly executorOf: (pool: string) => ScaleExecutor | undefined;
  /** As `ScaleDriverDeps.graceMs`. */
  readonly scaleGraceMs: number | undefined;
  /** Whoever carries the bytes of these pools; absent: this process. */
  readonly dataPlaneOf?: ((pools: Registry['pools']) => DataPlane) | undefined;
  /** How connections to the nodes of a pool begin. */
  readonly linkOf: NodeLinks['linkOf'];
  /** Whether this balancer acts for all that share its pools. */
  readonly isLeader: () => boolean;
}): BalancerCore {
  const { clock, rng, log, pools, executorOf, isLeader, scaleGraceMs: graceMs } = parts;
  const events = createEventFeed(clock);
  // One line in the log and one event for each: what changes by itself is news, what goes wrong is a warning.
  const notifyBy =
    (write: 'info' | 'warn'): Notify =>
    (event, facts) => {
      log[write](facts, event);
      tellNotice(events, event, facts);
    };
  const visibility = { countsMessages: true, countsConnections: true };
  const registry = new Registry({ clock, rng, visibility, notify: notifyBy('info') });
  registry.configure(pools);
  const dataPlane =
    parts.dataPlaneOf?.(registry.pools) ?? createRelayDataPlane({ pools: registry.pools, clock });
  const tell: EventFeed['tell'] = (event) => {
    const { type, message, facts, ...about } = event;
    log.info({ type, ...about, ...facts }, message);
    events.tell(event);
  };
  const shared = { registry, clock, rng, tell, isLeader };
  const control = new RunningControl({ ...shared, dataPlane });
  const isFrozen = (pool: string) => control.shared.freezes.isFrozen(pool);
  const scaling = new ScalingLoop({ ...shared, isFrozen });
  return {
    registry,
    dataPlane,
    events,
    tell,
    control,
    scaling,
    scaleDriver: new ScaleDriver({ ...shared, feed: scaling, control, executorOf, graceMs }),
    placement: createPlacement({ pools: registry.pools, clock, notify: notifyBy('warn') }),
    health: createHealthChecker({ registry, probe: createProbe(clock, parts.linkOf), clock, rng }),
  };
}
