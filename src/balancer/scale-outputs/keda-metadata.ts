// The metadata of a KEDA trigger: which pool it is about and what is measured. Pure.
import { HeraldError } from '../../core/error.ts';
import { nameHint } from '../../core/nearest.ts';

/** `load`: the fleet's total load against the policy's target. `desired`: the nodes wanted, against 1 a node. */
export type ScalerMetric = 'load' | 'desired';

/** What a trigger asks for. */
export interface ScalerTrigger {
  readonly pool: string;
  readonly metric: ScalerMetric;
}

const ownKeys = ['pool', 'metric'] as const;
// KEDA hands the whole metadata on, its own keys among it.
const kedaKeys = new Set([
  'scalerAddress',
  'enableTLS',
  'unsafeSsl',
  'tlsCertFile',
  'caCert',
  'tlsClientCert',
  'tlsClientKey',
]);
const metrics = ['load', 'desired'] as const;

/** Reads the metadata of a trigger. HERALD_SCALER_METADATA_INVALID names the key that is missing, wrong or unknown. */
export function readScalerMetadata(metadata: Readonly<Record<string, string>>): ScalerTrigger {
  for (const key of Object.keys(metadata)) {
    // `poolFromEnv` comes with the value of the variable, and still by that name.
    const plain = key.replace(/FromEnv$/, '');
    if (kedaKeys.has(plain) || ownKeys.some((own) => own === plain)) continue;
    throw invalid(`'${key.slice(0, 64)}' is not known (${nameHint(key, ownKeys)})`);
  }
  const [pool = '', metric = 'load'] = ownKeys.map((key) => metadata[key] ?? metadata[`${key}FromEnv`]);
  if (pool === '') throw invalid("'pool' is missing: name the pool of herald.yaml to scale");
  const found = metrics.find((each) => each === metric);
  if (found !== undefined) return { pool, metric: found };
  throw invalid(`'metric' is '${metric.slice(0, 64)}' (${nameHint(metric, metrics)})`);
}

function invalid(message: string): HeraldError {
  return new HeraldError('HERALD_SCALER_METADATA_INVALID', `metadata of the trigger: ${message}`);
}
