// From the text of a policy file to a frozen Policy, or to every problem of the file.
import { isBuiltinSignal } from '../core/signal.ts';
import { deepFreeze } from './deep-freeze.ts';
import { nameHint } from '../core/nearest.ts';
import { affinityDefaults } from './affinity-schema.ts';
import { complainAboutSignalName, kindOfSignal } from './policy-checks.ts';
import { policySchema, type PolicyDocument } from './policy-schema.ts';
import type { AffinityRule, Policy } from './policy.ts';
import { invalidConfig, type Location, type Problem } from './problem.ts';
import { units } from './quantity.ts';
import { apiVersion, isMapping, readDocument } from './read-document.ts';
import { problemAt } from './schema-problems.ts';
import { parseYaml, type Source } from './yaml-document.ts';

/** What came of one policy file. */
export interface PolicyReading {
  readonly file: string;
  /** The name in the file even where other keys are wrong; '' when it cannot be told. */
  readonly name: string;
  /** Where the name stands; undefined with ''. */
  readonly nameAt: Location | undefined;
  /** Undefined when there are problems. */
  readonly policy: Policy | undefined;
  readonly problems: readonly Problem[];
}

/** Reads one policy file; never throws. */
export function readPolicy(file: string, text: string): PolicyReading {
  const parsed = parseYaml(file, text);
  if (parsed.source === undefined) {
    return { file, name: '', nameAt: undefined, policy: undefined, problems: parsed.problems };
  }
  return readPolicySource(parsed.source, parsed.problems);
}

/** Reads a parsed policy file; `earlier` are the problems of its text. */
function readPolicySource(source: Source, earlier: readonly Problem[]): PolicyReading {
  const { value, sections, problems: found } = readDocument(source, 'Policy', policySchema);
  const problems = [...earlier, ...found, ...checkSignalNames(source), ...checkWeights(source, sections)];
  const written: unknown = isMapping(source.data) ? source.data['name'] : undefined;
  const name = sections.name ?? (typeof written === 'string' ? written : '');
  const nameAt = name === '' ? undefined : source.locate(['name'], 'value');
  const policy = value === undefined || problems.length > 0 ? undefined : compilePolicy(value);
  return { file: source.file, name, nameAt, policy, problems };
}

/** Reads one policy file. Throws HERALD_CONFIG_INVALID with all problems. */
export function parsePolicy(file: string, text: string): Policy {
  const { policy, problems } = readPolicy(file, text);
  if (policy === undefined) throw invalidConfig(problems);
  return policy;
}

/** The policy of which nothing but the name was written. */
export function defaultPolicy(name: string): Policy {
  return compilePolicy(policySchema.parse({ apiVersion, kind: 'Policy', name }));
}

/** On the data as written, so that a misspelt name is told beside whatever else is wrong with the signal. */
function checkSignalNames(source: Source): Problem[] {
  const signals: unknown = isMapping(source.data) ? source.data['signals'] : undefined;
  if (!isMapping(signals)) return [];
  return Object.entries(signals).flatMap(([key, signal]) => {
    if (isBuiltinSignal(key)) return [];
    const statesKind = isMapping(signal) && signal['kind'] !== undefined;
    const complaint = complainAboutSignalName(key, statesKind);
    if (complaint === undefined) return [];
    return [problemAt(source, ['signals', key], complaint.message, complaint.hint, 'key')];
  });
}

function checkWeights(source: Source, { score, signals }: Partial<PolicyDocument>): Problem[] {
  if (score === undefined || signals === undefined) return [];
  const known = Object.entries(signals).flatMap(([key, signal]) =>
    signal !== undefined && kindOfSignal(key, signal) === 'additive' ? [key] : [],
  );
  const unknown = Object.keys(score.weights).filter((key) => !known.includes(key));
  return unknown.map((key) => {
    const path = ['score', 'weights', key];
    return problemAt(source, path, 'is no additive signal of this policy', nameHint(key, known), 'key');
  });
}

function compilePolicy(document: PolicyDocument): Policy {
  const { name, score, reports, drain } = document;
  return deepFreeze({
    name,
    signals: compileSignals(document.signals),
    score: { combine: score.combine, weights: { ...score.weights }, smoothingMs: score.smoothing },
    reports: { intervalMs: reports.interval, blackoutMs: reports.blackout, expiryMs: reports.expiry },
    place: compilePlace(document.place),
    admit: compileAdmit(document.admit),
    affinity: compileAffinity(document.affinity),
    drain: {
      deadlineMs: drain.deadline,
      ratePerSecond: drain.rate,
      closeCode: drain.closeCode,
      closeReason: drain.closeReason,
    },
    rebalance: compileRebalance(document.rebalance),
    scale: compileScale(document.scale),
    health: { check: compileCheck(document.health.check), passive: compilePassive(document.health.passive) },
  });
}

/** Built-in signals in the order of the catalogue, then custom ones in the order of the file. */
function compileSignals(signals: PolicyDocument['signals']): Policy['signals'] {
  const rules = Object.entries(signals).flatMap(([name, signal]) =>
    signal === undefined ? [] : [{ name, kind: kindOfSignal(name, signal), saturation: signal.saturation }],
  );
  return [
    ...rules.filter((rule) => isBuiltinSignal(rule.name)),
    ...rules.filter((rule) => !isBuiltinSignal(rule.name)),
  ];
}

function compilePlace(place: PolicyDocument['place']): Policy['place'] {
  const { picker, horizon, maxShare, attempts, slowStart, connectRate } = place;
  return {
    picker,
    horizonMs: horizon,
    maxShare,
    attempts,
    slowStartMs: slowStart,
    connectRatePerSecond: connectRate,
  };
}

function compileAdmit(admit: PolicyDocument['admit']): Policy['admit'] {
  const { rate, burst, fillTo, overfillAfter, queue, maxWait, maxConnections, refuse, requests } = admit;
  return {
    ratePerSecond: rate,
    burstMs: burst,
    fillTo,
    overfillAfterMs: overfillAfter,
    queueLength: queue,
    maxWaitMs: maxWait,
    maxConnections,
    refuse,
    requests,
  };
}

function compileAffinity(affinity: PolicyDocument['affinity']): AffinityRule {
  const { kind, name, segment = 0 } = affinity;
  if (kind === 'none') return { kind };
  const yieldAt = affinity.yieldAt ?? units.percentage.read(affinityDefaults.yieldAt);
  if (kind === 'cookie') {
    return {
      kind,
      name: name ?? affinityDefaults.name,
      yieldAt,
      secure: affinity.secure ?? affinityDefaults.secure,
      httpOnly: affinity.httpOnly ?? affinityDefaults.httpOnly,
      sameSite: affinity.sameSite ?? affinityDefaults.sameSite,
      maxAgeMs: affinity.maxAge,
    };
  }
  const bound = affinity.bound ?? units.percentage.read(affinityDefaults.bound);
  const wanted = kind === 'header' ? (name ?? '').toLowerCase() : (name ?? '');
  return { kind, name: wanted, segment, yieldAt, bound: bound === 'off' ? Infinity : bound };
}

function compileRebalance(rebalance: PolicyDocument['rebalance']): Policy['rebalance'] {
  const { mode, floor, band, rate, cooldown, choose } = rebalance;
  return { mode, floor, band, forMs: rebalance.for, ratePerSecond: rate, cooldownMs: cooldown, choose };
}

function compileScale(scale: PolicyDocument['scale']): Policy['scale'] {
  const { min, max, target, startTime, window, survive, surviveOf, up, down, victims } = scale;
  return {
    min,
    max,
    target,
    startTimeMs: startTime,
    windowMs: window,
    survive,
    surviveOf,
    up: { afterMs: up.after, step: up.step },
    down: { afterMs: down.after, step: down.step, drainMs: down.drain },
    victims,
  };
}

function compileCheck(check: PolicyDocument['health']['check']): Policy['health']['check'] {
  const { path, interval, timeout, fall, rise } = check;
  const kind = check.kind ?? (path === undefined ? 'tcp' : 'http');
  if (kind === 'off') return { kind };
  return { kind, path: path ?? '', intervalMs: interval, timeoutMs: timeout, fall, rise };
}

function compilePassive({
  errors,
  window,
  eject,
  maxEjected,
}: PolicyDocument['health']['passive']): Policy['health']['passive'] {
  return { errors, windowMs: window, ejectMs: eject, maxEjected };
}
