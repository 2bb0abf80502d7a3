// Which part of the load of a node's clients is caused by those that one balancer carries.

/** Connections of a node, and what they carry. */
interface Carried {
  /** 0 or more. */
  readonly connections: number;
  /** Both ways, 0 or more. */
  readonly messagesPerSecond: number;
}

/** By messages; by connections where nothing moves. 0..1; 0 when the whole is nothing. */
export function carriedPart(part: Carried, whole: Carried): number {
  if (whole.messagesPerSecond > 0) return Math.min(1, part.messagesPerSecond / whole.messagesPerSecond);
  return whole.connections > 0 ? Math.min(1, part.connections / whole.connections) : 0;
}
