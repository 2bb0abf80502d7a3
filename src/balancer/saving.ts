// The saved state of a configuration, wired to its file, the registry, the log and the counters.
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { createStateFile } from '../platform/state-file.ts';
import type { Config } from '../policy/config.ts';
import type { Metrics } from './metrics/metrics.ts';
import { createLearningSection } from './state/learning-section.ts';
import type { StateSection } from './state/ports.ts';
import { createRegistrationsSection } from './state/registrations-section.ts';
import type { Registry } from './state/registry.ts';
import { SavedState } from './state/saved-state.ts';

/** What survives a restart, by these settings; where they say `off`, a takeover alone. */
export function createConfiguredState(
  { file }: Config['state'],
  parts: {
    registry: Registry;
    clock: Clock;
    log: Logger;
    metrics: Metrics;
    mayRegister: (host: string, port: number) => boolean;
    control: StateSection;
    words: StateSection;
    webhooks: StateSection;
  },
): SavedState {
  const { registry, clock, log, metrics, mayRegister, control, words, webhooks } = parts;
  return new SavedState({
    store: file === undefined ? undefined : createStateFile(file),
    // What else is to survive is one more section: each has its own name and reads only its own part. Nodes first:
    // what was learned and what is wanted is about them.
    sections: [
      createRegistrationsSection(registry, mayRegister),
      createLearningSection(registry, clock),
      control,
      words,
      webhooks,
    ],
    clock,
    warn: (event, facts) => log.warn({ file, ...facts }, event),
    notify: (event, facts) => log.info({ file, ...facts }, event),
    onWrite: (outcome) => metrics.countStateWrite(outcome),
  });
}
