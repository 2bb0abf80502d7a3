// The counters that all observers of one agent share.

/** Plain fields, since they are written once per message. Only observers write. */
export interface Traffic {
  /** Servers observed now. */
  servers: number;
  /** Client connections open now. */
  connections: number;
  /** Messages received and sent since the agent was made; never fall. */
  messagesIn: number;
  messagesOut: number;
}

/** Nothing counted yet. */
export function createTraffic(): Traffic {
  return { servers: 0, connections: 0, messagesIn: 0, messagesOut: 0 };
}
