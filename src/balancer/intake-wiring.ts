// The intake of a configuration, wired to the registry.
import type { Clock } from '../core/clock.ts';
import type { HttpRoutes } from '../platform/http-app.ts';
import { tcpKey, type ListeningSockets } from '../platform/listening-sockets.ts';
import { matchesAnyCidr } from '../policy/cidr.ts';
import type { Config } from '../policy/config.ts';
import { decodeReport } from '../protocol/decode-report.ts';
import { createIntake, type Intake, type IntakeDeps } from './intake/intake.ts';
import type { Control, EventFeed } from './control/ports.ts';
import type { Phase } from './intake/readiness.ts';
import type { ReporterRule } from './intake/reporters.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { Registry } from './state/registry.ts';

/** An intake for these settings, not yet listening. */
export function createConfiguredIntake(
  settings: Config['intake'],
  parts: {
    registry: Registry;
    clock: Clock;
    metrics: Metrics;
    takeShed: IntakeDeps['takeShed'];
    phase: () => Phase;
    feed: EventFeed;
    control: Control | undefined;
    hooks?: HttpRoutes;
    sockets: ListeningSockets;
    passGate: () => Promise<void> | undefined;
    onInternalError: (error: unknown) => void;
  },
): Intake {
  const { takeShed } = parts;
  return createIntake({
    bind: settings.bind,
    slot: parts.sockets.slot(tcpKey(settings.bind, 'intake')),
    passGate: parts.passGate,
    registry: parts.registry,
    clock: parts.clock,
    decode: decodeReport,
    reporters: reportersOf(settings),
    tls: settings.tls,
    control: parts.control,
    ...(parts.hooks && { hooks: parts.hooks }),
    onSelfDrain: ({ by, pool, node }) =>
      parts.feed.tell({
        type: 'change.done',
        pool,
        node,
        by,
        why: 'the node drains itself',
        message: `Node '${node}' of pool '${pool}' has asked to be drained.`,
        facts: { route: 'drainSelf' },
      }),
    mayRegister: registrationRule(settings),
    ...(takeShed && { takeShed }),
    phase: parts.phase,
    scrape: () => parts.metrics.scrape(),
    onReport: (outcome) => parts.metrics.countReport(outcome),
    onInternalError: parts.onInternalError,
  });
}

/** Whether a node that the configuration does not name may register at an address. */
export function registrationRule({ register }: Config['intake']): (host: string, port: number) => boolean {
  const { from, ports } = register;
  return (host, port) =>
    from.length > 0 && matchesAnyCidr(from, host) && (ports.length === 0 || ports.includes(port));
}

/** Who may report by these settings. */
export function reportersOf({ tokens }: Config['intake']): ReporterRule {
  return { tokens, loopbackNeedsToken: false };
}
