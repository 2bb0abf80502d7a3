// A node's load, told apart by the connections that cause it. What is worth moving is decided elsewhere.

/** What a node's open connections carry, one entry each. */
export interface CarriedRates {
  /** Messages both ways per second, 0 or more. */
  readonly messagesPerSecond: ArrayLike<number>;
  /** Bytes both ways per second, 0 or more, in the same order. */
  readonly bytesPerSecond: ArrayLike<number>;
}

/** A node's utilization and what of it is there without any work. */
export interface ApportionedLoad {
  /** 0 or more; may exceed 1. */
  readonly utilization: number;
  /** Shared intercept of the learned costs, 0 or more: nobody's work. */
  readonly intercept: number;
}

// What a message costs beside its bytes: as much as this many of them. Proxies on Node's streams pay for a message of
// 16 KiB 2.3 times what they pay for one of 64 bytes (docs/performance.md); nothing learns it for each pool yet.
const bytesPerMessage = 16 * 1024;

/**
 * The part of each connection in the node's utilization: what is above the intercept, in proportion to messages and
 * bytes. In equal parts when nothing moves, since then what there is comes from keeping connections open. The parts
 * and the smaller of intercept and utilization sum up to the utilization; no parts for no connections.
 */
export function apportion(rates: CarriedRates, { utilization, intercept }: ApportionedLoad): Float64Array {
  const { messagesPerSecond, bytesPerSecond } = rates;
  const part = new Float64Array(messagesPerSecond.length);
  let total = 0;
  for (let i = 0; i < part.length; i++) {
    const weight = (messagesPerSecond[i] ?? 0) + (bytesPerSecond[i] ?? 0) / bytesPerMessage;
    part[i] = weight;
    total += weight;
  }
  const work = Math.max(0, utilization - intercept);
  if (total <= 0) return part.fill(part.length === 0 ? 0 : work / part.length);
  for (let i = 0; i < part.length; i++) part[i] = ((part[i] ?? 0) / total) * work;
  return part;
}
