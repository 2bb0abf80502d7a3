// An intake on a free port of 127.0.0.1 over a registry, for tests with real sockets.
import { createIntake, type IntakeDeps } from '../../src/balancer/intake/intake.ts';
import { createMetrics } from '../../src/balancer/metrics/metrics.ts';
import type { Registry } from '../../src/balancer/state/registry.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import { defaultHttpLimits } from '../../src/platform/http-server.ts';
import { decodeReport } from '../../src/protocol/decode-report.ts';

export interface RunningIntake extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly outcomes: string[];
  readonly internalErrors: unknown[];
}

/** Starts it; `await using` or the disposer stops it. */
export async function anIntake(registry: Registry, change: Partial<IntakeDeps> = {}): Promise<RunningIntake> {
  const outcomes: string[] = [];
  const internalErrors: unknown[] = [];
  const clock = createSystemClock();
  const metrics = createMetrics({
    pools: registry.pools,
    clock,
    relayForms: () => ({ form: 'plain', tls: 'plain' }),
    version: '0.0.0',
  });
  const intake = createIntake({
    bind: { host: '127.0.0.1', port: 0 },
    registry,
    clock,
    decode: decodeReport,
    reporters: { tokens: [], loopbackNeedsToken: false },
    mayRegister: () => true,
    phase: () => 'serving',
    scrape: () => metrics.scrape(),
    onReport: (outcome) => {
      outcomes.push(outcome);
      metrics.countReport(outcome);
    },
    onInternalError: (error) => internalErrors.push(error),
    control: undefined,
    onSelfDrain: () => {},
    limits: { ...defaultHttpLimits, headTimeoutMs: 300, requestTimeoutMs: 600, stopGraceMs: 200 },
    ...change,
  });
  const { port } = await intake.start();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    outcomes,
    internalErrors,
    [Symbol.asyncDispose]: () => intake.stop(),
  };
}
