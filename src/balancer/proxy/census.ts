// Who is connected to one listener, counted: in all, and for each client address. What a refused client hears is door.ts.
import { parseIp } from '../../policy/cidr.ts';

/** What a listener takes at most; Infinity is off. */
export interface CensusLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

/** Who is counted in all, and who for an address only: a request of a client behind a proxy. */
type Counted = 'connection' | 'request';

/** Which limit is reached: of the listener, of the client's address, of what the process may have open. */
export type CensusLimit = 'listenerFull' | 'addressFull' | 'descriptorsShort';

/** A place in the counts; `leave` gives it back, once. */
export interface Seat {
  leave(): void;
}

// A table of addresses must not be a way to fill the memory: past this, new addresses are not counted, and `connections`
// is what holds. An entry takes some 100 bytes.
const maxAddresses = 100_000;

export class ClientCensus {
  readonly #limits: CensusLimits;
  readonly #byAddress = new Map<string, number>();
  #open = 0;

  constructor(limits: CensusLimits) {
    this.#limits = limits;
  }

  /** Connections counted now. */
  get open(): number {
    return this.#open;
  }

  /** Addresses counted now. */
  get addresses(): number {
    return this.#byAddress.size;
  }

  get countsConnections(): boolean {
    return this.#limits.connections !== Infinity;
  }

  get countsAddresses(): boolean {
    return this.#limits.connectionsPerAddress !== Infinity;
  }

  /** Takes a place, or says which limit is reached. `address` is '' for what no address is to count. */
  enter(counted: Counted, address: string): Seat | CensusLimit {
    const isConnection = counted === 'connection';
    if (isConnection && this.#open >= this.#limits.connections) return 'listenerFull';
    const key = this.countsAddresses && address !== '' ? addressKey(address) : '';
    const known = this.#byAddress.get(key) ?? 0;
    if (key !== '' && known >= this.#limits.connectionsPerAddress) return 'addressFull';
    const isTracked = key !== '' && (known > 0 || this.#byAddress.size < maxAddresses);
    if (isTracked) this.#byAddress.set(key, known + 1);
    if (isConnection) this.#open += 1;
    let isTaken = true;
    return {
      leave: () => {
        if (!isTaken) return;
        isTaken = false;
        if (isConnection) this.#open -= 1;
        if (isTracked) this.#forget(key);
      },
    };
  }

  #forget(key: string): void {
    const left = (this.#byAddress.get(key) ?? 0) - 1;
    if (left > 0) this.#byAddress.set(key, left);
    else this.#byAddress.delete(key);
  }
}

/** What counts as one address: of IPv6 the /64, which one household has whole. An unreadable text is itself. */
export function addressKey(address: string): string {
  const ip = parseIp(address);
  if (ip === undefined) return address;
  return ip.version === 4 ? `4:${ip.bits}` : `6:${ip.bits >> 64n}`;
}
