// What a signal is and how a policy reads it. Measuring signals is the agent's work.

/** Additive signals add up with connections; distress signals tell that it hurts and do not fall by a known amount. */
export type SignalKind = 'additive' | 'distress';

/** Values of one report in base units: fractions 0..1 (may exceed 1), milliseconds, or messages per second. */
export type SignalValues = Readonly<Record<string, number>>;

/** How a policy reads one signal. */
export interface SignalRule {
  /** The signal's name as the policy writes it: `cpu`, `eventLoopLag`, or a custom one such as `queueDelayMs`. */
  readonly name: string;
  readonly kind: SignalKind;
  /**
   * The value at which a node is full by this signal, in the signal's base unit, above 0; `auto` is
   * learned: the value at which another additive signal would be full.
   */
  readonly saturation: number | 'auto';
}

interface BuiltinSignal {
  readonly kind: SignalKind;
  /** The unit that a policy writes and shows. */
  readonly unit: 'fraction' | 'milliseconds' | 'messagesPerSecond';
  /** The key in a report's `signals`. */
  readonly reportKey: string;
  readonly meaning: string;
}

/** The signals that every agent knows. */
export const builtinSignals = {
  cpu: {
    kind: 'additive',
    unit: 'fraction',
    reportKey: 'cpu',
    meaning: 'CPU time of the process or container ÷ what it may use.',
  },
  eventLoopUtilization: {
    kind: 'additive',
    unit: 'fraction',
    reportKey: 'eventLoopUtilization',
    meaning: 'Share of time the event loop was busy.',
  },
  throughput: {
    kind: 'additive',
    unit: 'messagesPerSecond',
    reportKey: 'throughput',
    meaning: 'Messages in and out per second.',
  },
  eventLoopLag: {
    kind: 'distress',
    unit: 'milliseconds',
    reportKey: 'eventLoopLagMs',
    meaning: 'Mean delay of the event loop beyond its own timer resolution.',
  },
  memory: {
    kind: 'distress',
    unit: 'fraction',
    reportKey: 'memory',
    meaning: 'Resident memory ÷ what the process or container may use.',
  },
} as const satisfies Record<string, BuiltinSignal>;

/** Names of the signals that every agent knows. */
export type BuiltinSignalName = keyof typeof builtinSignals;

/** True for the names in `builtinSignals`; every other name is a custom signal. */
export function isBuiltinSignal(name: string): name is BuiltinSignalName {
  return Object.hasOwn(builtinSignals, name);
}
