// The intake of a configuration, wired to the registry.
import type { Clock } from '../core/clock.ts';
import { matchesAnyCidr } from '../policy/cidr.ts';
import type { Config } from '../policy/config.ts';
import { decodeReport } from '../protocol/decode-report.ts';
import { createIntake, type Intake } from './intake/intake.ts';
import type { Phase } from './intake/readiness.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { Registry } from './state/registry.ts';

/** An intake for these settings, not yet listening. */
export function createConfiguredIntake(
  settings: Config['intake'],
  parts: {
    registry: Registry;
    clock: Clock;
    metrics: Metrics;
    phase: () => Phase;
    onInternalError: (error: unknown) => void;
  },
): Intake {
  const { from, ports } = settings.register;
  return createIntake({
    bind: settings.bind,
    registry: parts.registry,
    clock: parts.clock,
    decode: decodeReport,
    reporters: { tokens: settings.tokens, loopbackNeedsToken: false },
    mayRegister: (host, port) =>
      from.length > 0 && matchesAnyCidr(from, host) && (ports.length === 0 || ports.includes(port)),
    phase: parts.phase,
    scrape: () => parts.metrics.scrape(),
    onReport: (outcome) => parts.metrics.countReport(outcome),
    onInternalError: parts.onInternalError,
  });
}
