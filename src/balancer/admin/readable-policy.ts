// A compiled policy as its YAML would write it: quantities with their unit, for people and for `policy diff`.
import { builtinSignals, isBuiltinSignal, type SignalRule } from '../../core/signal.ts';
import type { Policy, ScaleStep } from '../../policy/policy.ts';
import { units } from '../../policy/quantity.ts';
import type { PolicyDocument } from '../../protocol/admin-api.ts';

const duration = units.duration.write;
const percentage = units.percentage.write;
const rate = units.rate.write;
const share = units.share.write;

/** The document; keys in the order of a policy file. */
export function readablePolicy(policy: Policy): PolicyDocument {
  const { score, reports, place, drain, rebalance, scale } = policy;
  return {
    apiVersion: 'herald/v1',
    kind: 'Policy',
    name: policy.name,
    signals: Object.fromEntries(policy.signals.map((rule) => [rule.name, readableSignal(rule)])),
    score: {
      combine: score.combine,
      ...(Object.keys(score.weights).length > 0 ? { weights: score.weights } : {}),
      smoothing: duration(score.smoothingMs),
    },
    reports: {
      interval: duration(reports.intervalMs),
      blackout: duration(reports.blackoutMs),
      expiry: duration(reports.expiryMs),
    },
    place: {
      picker: place.picker,
      horizon: place.horizonMs === 'auto' ? 'auto' : duration(place.horizonMs),
      maxShare: percentage(place.maxShare),
      attempts: place.attempts,
      slowStart: duration(place.slowStartMs),
      connectRate: rate(place.connectRatePerSecond),
    },
    admit: readableAdmit(policy.admit),
    affinity: readableAffinity(policy.affinity),
    drain: {
      deadline: duration(drain.deadlineMs),
      rate: drain.ratePerSecond === 'auto' ? 'auto' : rate(drain.ratePerSecond),
      closeCode: drain.closeCode,
      closeReason: drain.closeReason,
    },
    rebalance: {
      mode: rebalance.mode,
      floor: percentage(rebalance.floor),
      band: percentage(rebalance.band),
      for: duration(rebalance.forMs),
      rate: share(rebalance.ratePerSecond),
      cooldown: duration(rebalance.cooldownMs),
      choose: rebalance.choose,
    },
    scale: readableScale(scale),
    health: readableHealth(policy.health),
  };
}

function readableScale(scale: Policy['scale']): PolicyDocument['scale'] {
  return {
    min: scale.min,
    max: scale.max,
    target: percentage(scale.target),
    startTime: duration(scale.startTimeMs),
    window: scale.windowMs === 'auto' ? 'auto' : duration(scale.windowMs),
    survive: scale.survive,
    surviveOf: scale.surviveOf,
    up: { after: duration(scale.up.afterMs), step: readableStep(scale.up.step) },
    down: {
      after: duration(scale.down.afterMs),
      step: readableStep(scale.down.step),
      drain: duration(scale.down.drainMs),
    },
    victims: scale.victims,
  };
}

function readableStep(step: ScaleStep): number | string {
  return typeof step === 'object' ? percentage(step.share) : step;
}

function readableSignal({ name, kind, saturation }: SignalRule): Record<string, unknown> {
  // The kind of a built-in signal is its own; only a custom one is told.
  if (!isBuiltinSignal(name)) return { kind, saturation };
  if (saturation === 'auto') return { saturation };
  const write = {
    fraction: percentage,
    milliseconds: duration,
    messagesPerSecond: rate,
  }[builtinSignals[name].unit];
  return { saturation: write(saturation) };
}

function readableAdmit(admit: Policy['admit']): Record<string, unknown> {
  return {
    rate: admit.ratePerSecond === 'off' ? 'off' : rate(admit.ratePerSecond),
    burst: duration(admit.burstMs),
    fillTo: percentage(admit.fillTo),
    overfillAfter: duration(admit.overfillAfterMs),
    queue: admit.queueLength,
    maxWait: duration(admit.maxWaitMs),
    maxConnections: admit.maxConnections,
    refuse: admit.refuse,
    requests: admit.requests,
  };
}

function readableAffinity(affinity: Policy['affinity']): Record<string, unknown> {
  const { kind } = affinity;
  if (kind === 'none') return { kind };
  const yieldAt = percentage(affinity.yieldAt);
  if (kind === 'cookie') {
    const { name, secure, httpOnly, sameSite, maxAgeMs } = affinity;
    const maxAge = maxAgeMs === undefined ? {} : { maxAge: duration(maxAgeMs) };
    return { kind, name, yieldAt, secure, httpOnly, sameSite, ...maxAge };
  }
  const bound = affinity.bound === Infinity ? 'off' : percentage(affinity.bound);
  if (kind === 'path') return { kind, segment: affinity.segment, yieldAt, bound };
  return { kind, ...(kind !== 'source' && { name: affinity.name }), yieldAt, bound };
}

function readableHealth({ check, passive }: Policy['health']): Record<string, unknown> {
  return {
    check:
      check.kind === 'off'
        ? { kind: 'off' }
        : {
            kind: check.kind,
            ...(check.kind === 'tcp' ? {} : { path: check.path }),
            interval: duration(check.intervalMs),
            timeout: duration(check.timeoutMs),
            fall: check.fall,
            rise: check.rise,
          },
    passive: {
      errors: passive.errors,
      window: duration(passive.windowMs),
      eject: duration(passive.ejectMs),
      maxEjected: percentage(passive.maxEjected),
    },
  };
}
