// Who may connect to one listener: so many in all, and so many of each client address. Who counts them is
// client-counts.ts; what a refused client hears is door.ts.
import { parseIp } from '../../policy/cidr.ts';
import { ClientCounts } from './client-counts.ts';

/** What a listener takes at most; Infinity is off. */
export interface CensusLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Where clients are counted when other processes take from the same limits; absent: none do. */
  readonly counts?: ClientCounts;
}

/** Who is counted in all, and who for an address only: a request of a client behind a proxy. */
type Counted = 'connection' | 'request';

/** Which limit is reached: of the listener, of the client's address, of what the process may have open. */
export type CensusLimit = 'listenerFull' | 'addressFull' | 'descriptorsShort';

/** A place in the counts; `leave` gives it back, once. */
export interface Seat {
  leave(): void;
}

/** The limits of one listener, held against who is there. */
export class ClientCensus {
  readonly #limits: CensusLimits;
  readonly #counts: ClientCounts;

  constructor(limits: CensusLimits) {
    this.#limits = limits;
    this.#counts = limits.counts ?? new ClientCounts();
  }

  /** Connections of this process counted now. */
  get open(): number {
    return this.#counts.ownConnections;
  }

  /** Addresses counted now in this process. */
  get addresses(): number {
    return this.#counts.ownAddresses;
  }

  get countsConnections(): boolean {
    return this.#limits.connections !== Infinity;
  }

  get countsAddresses(): boolean {
    return this.#limits.connectionsPerAddress !== Infinity;
  }

  /** Takes a place, or says which limit is reached. `address` is '' for what no address is to count. */
  enter(counted: Counted, address: string): Seat | CensusLimit {
    const counts = this.#counts;
    const isConnection = counted === 'connection';
    if (isConnection && counts.connections >= this.#limits.connections) return 'listenerFull';
    const key = this.countsAddresses && address !== '' ? addressKey(address) : '';
    const isNamed = key !== '';
    if (isNamed && counts.connectionsOf(key) >= this.#limits.connectionsPerAddress) return 'addressFull';
    const isTracked = isNamed && counts.addAddress(key);
    if (isConnection) counts.addConnection(1);
    let isTaken = true;
    return {
      leave: () => {
        if (!isTaken) return;
        isTaken = false;
        if (isConnection) counts.addConnection(-1);
        if (isTracked) counts.dropAddress(key);
      },
    };
  }
}

/** What counts as one address: of IPv6 the /64, which one household has whole. An unreadable text is itself. */
export function addressKey(address: string): string {
  const ip = parseIp(address);
  if (ip === undefined) return address;
  return ip.version === 4 ? `4:${ip.bits}` : `6:${ip.bits >> 64n}`;
}
