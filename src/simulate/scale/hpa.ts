// Kubernetes' Horizontal Pod Autoscaler on CPU, as published, as values. Who starts and ends pods is in hpa-arm.ts.
// Followed: kubernetes.io, "Horizontal Pod Autoscaling" (algorithm details, default behavior), and of release 1.33
// pkg/controller/podautoscaler: replica_calculator.go (GetResourceReplicas, groupPods), horizontal.go (behaviors).

/** A pod as the controller sees it; those being deleted are left out by the caller. */
export interface HpaPod {
  /** Not running yet: waits for a machine or its image. */
  readonly isPending: boolean;
  /** Usage ÷ request over one metrics window; undefined: the metrics server has none of this pod. */
  readonly cpu: number | undefined;
  /** End of that window. */
  readonly sampledAtMs: number;
  /** When the kubelet took it. */
  readonly startedAtMs: number;
  readonly isReady: boolean;
  /** When it last became ready or unready. */
  readonly changedAtMs: number;
}

/** What an HPA is set to. */
export interface HpaRule {
  readonly min: number;
  readonly max: number;
  /** averageUtilization ÷ 100. */
  readonly target: number;
}

/** How often the controller looks: --horizontal-pod-autoscaler-sync-period. */
export const syncMs = 15_000;
/** What a metrics-server sample covers: --metric-resolution, and the kubelet computes no finer. */
export const metricsWindowMs = 15_000;

const tolerance = 0.1;
const cpuInitializationMs = 300_000;
const initialReadinessDelayMs = 30_000;
const downWindowMs = 300_000;
// Default scale-up policies: 100 % or 4 pods in 15 s, the more of the two. Down it is 100 % in 15 s: no limit.
const upPeriodMs = 15_000;
const upFactor = 2;
const upPods = 4;

/** Replicas by the metrics alone; undefined when no ready pod has any, where the controller does nothing. */
export function wantedReplicas(
  pods: readonly HpaPod[],
  { current, target, nowMs }: { current: number; target: number; nowMs: number },
): number | undefined {
  const { ready, unready, missing } = groupPods(pods, nowMs);
  if (ready.length === 0) return undefined;
  const ratio = usageRatio(ready, target);
  const scalesUpWithUnready = unready > 0 && ratio > 1;
  if (!scalesUpWithUnready && missing === 0)
    return isWithin(ratio) ? current : Math.ceil(ratio * ready.length);
  // Against the direction: the missing at all of their request on the way down, at nothing on the way up.
  const guesses = ratio === 1 ? [] : Array.from({ length: missing }, () => (ratio < 1 ? 1 : 0));
  const asleep = scalesUpWithUnready ? Array.from({ length: unready }, () => 0) : [];
  const usages = [...ready, ...guesses, ...asleep];
  const again = usageRatio(usages, target);
  if (isWithin(again) || (ratio < 1 && again > 1) || (ratio > 1 && again < 1)) return current;
  const replicas = Math.ceil(again * usages.length);
  const turnsRound = (again < 1 && replicas > current) || (again > 1 && replicas < current);
  return turnsRound ? current : replicas;
}

function isWithin(ratio: number): boolean {
  return 1 - tolerance <= ratio && ratio <= 1 + tolerance;
}

/** Whole per cents of the request, cut off as the controller does, ÷ target. */
function usageRatio(usages: readonly number[], target: number): number {
  const sum = usages.reduce((total, each) => total + each, 0);
  // Usages are milli-cores there: without the rounding 0.29 × 100 would be cut to 28.
  const percent = Math.floor(Math.round((sum / usages.length) * 1e5) / 1e3);
  return percent / Math.round(target * 100);
}

function groupPods(
  pods: readonly HpaPod[],
  nowMs: number,
): { ready: number[]; unready: number; missing: number } {
  const ready: number[] = [];
  let unready = 0;
  let missing = 0;
  for (const pod of pods) {
    if (pod.isPending) unready += 1;
    else if (pod.cpu === undefined) missing += 1;
    else if (isUnready(pod, nowMs)) unready += 1;
    else ready.push(pod.cpu);
  }
  return { ready, unready, missing };
}

function isUnready({ startedAtMs, isReady, changedAtMs, sampledAtMs }: HpaPod, nowMs: number): boolean {
  if (startedAtMs + cpuInitializationMs > nowMs)
    return !isReady || sampledAtMs < changedAtMs + metricsWindowMs;
  return !isReady && startedAtMs + initialReadinessDelayMs > changedAtMs;
}

/** What the controller remembers. */
export interface HpaState {
  readonly recommendations: readonly { readonly atMs: number; readonly replicas: number }[];
  readonly ups: readonly { readonly atMs: number; readonly added: number }[];
}

/** A controller that has just begun to look at a workload of this size. */
export function beginHpa(replicas: number, nowMs: number): HpaState {
  return { recommendations: [{ atMs: nowMs, replicas }], ups: [] };
}

/** One sync: `wanted` within windows, policies and limits. */
export function syncHpa(
  state: HpaState,
  { wanted, current, nowMs }: { wanted: number | undefined; current: number; nowMs: number },
  rule: HpaRule,
): { state: HpaState; replicas: number } {
  if (wanted === undefined) return { state, replicas: current };
  const recent = state.recommendations.filter(({ atMs }) => atMs > nowMs - downWindowMs);
  const recommendations = [...recent, { atMs: nowMs, replicas: wanted }];
  // Up has no window by default; down goes no lower than the highest of five minutes.
  const highest = Math.max(...recommendations.map(({ replicas }) => replicas));
  const stable = Math.min(Math.max(current, wanted), highest);
  const ups = state.ups.filter(({ atMs }) => atMs > nowMs - upPeriodMs);
  const base = current - ups.reduce((sum, { added }) => sum + added, 0);
  const limit = Math.max(current, base + upPods, Math.ceil(base * upFactor));
  const replicas = Math.max(rule.min, Math.min(stable, limit, rule.max));
  const grown = replicas > current ? [{ atMs: nowMs, added: replicas - current }] : [];
  return { state: { recommendations, ups: [...ups, ...grown] }, replicas };
}
