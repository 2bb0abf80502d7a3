// The names of the pickers, in the order in which the documentation lists them.

/** Every picker that a policy can name; `waterfill` is the default. */
export const pickerNames = ['waterfill', 'p2c', 'least', 'leastConnections', 'roundRobin', 'random'] as const;

export type PickerName = (typeof pickerNames)[number];
