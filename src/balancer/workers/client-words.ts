// What the main process and its workers say of who is connected to a listener, as far as its limits are shared.

/** Connections of one client address; 0: none any more. */
type AddressRow = readonly [address: string, connections: number];

/** Who is connected to one listener. Of addresses only some are told, and only changes; those left out are as before. */
export interface ListenerClients {
  readonly listener: string;
  readonly connections: number;
  readonly addresses: readonly AddressRow[];
}

/** The same as a worker says it of itself, addresses rounded down. */
export interface OwnListenerClients extends ListenerClients {
  /** The limit that its addresses have, 1 or more; Infinity: none. */
  readonly connectionsPerAddress: number;
}
