// Who is connected to one listener, counted: by this process, and what other processes of the balancer have said of the
// same listener. How many are too many is census.ts.

/** Connections of one client address, by its `addressKey`; 0: none any more. */
export type AddressCount = readonly [address: string, connections: number];

/** What one side tells the other. Addresses left out are as told before. */
export interface ClientNews {
  readonly connections: number;
  readonly addresses: readonly AddressCount[];
}

/** With whom counts are shared. */
export interface SharedWith {
  /** Processes that share, this one included; 1 or more. */
  readonly processes: number;
  /** The limit that is shared, 1 or more; Infinity: no address is told. */
  readonly connectionsPerAddress: number;
}

// A table of addresses must not be a way to fill the memory: past this, new addresses are not counted, and `connections`
// is what holds. An entry takes some 100 bytes.
const maxAddresses = 100_000;
// Writing 1,000 rows takes 0.1 ms and reading them 0.15 ms, in words that come every 100 ms. The rest waits for the next.
const maxRows = 1000;
// What n processes do not tell of one address is less than n steps: with steps of limit ÷ 8n less than an eighth of it.
const stepsPerLimit = 8;

/** Counts with a lifetime of their listener's. */
export class ClientCounts {
  readonly #step: number;
  readonly #own = new Map<string, number>();
  readonly #elsewhere = new Map<string, number>();
  readonly #said = new Map<string, number>();
  /** Addresses that are not as said, the longest waiting first. */
  readonly #changed = new Set<string>();
  #connections = 0;
  #connectionsElsewhere = 0;
  #saidConnections = 0;

  /** `shared` undefined: this process is alone, and nothing is kept for others. */
  constructor(shared?: SharedWith) {
    this.#step =
      shared === undefined
        ? Infinity
        : Math.max(1, Math.floor(shared.connectionsPerAddress / (shared.processes * stepsPerLimit)));
  }

  /** Connections of this process. */
  get ownConnections(): number {
    return this.#connections;
  }

  /** Addresses that this process counts. */
  get ownAddresses(): number {
    return this.#own.size;
  }

  /** Connections of all processes, as far as is known. */
  get connections(): number {
    return this.#connections + this.#connectionsElsewhere;
  }

  /** What all processes count for one address, as far as is known. */
  connectionsOf(address: string): number {
    return (this.#own.get(address) ?? 0) + (this.#elsewhere.get(address) ?? 0);
  }

  /** One connection more, or with -1 one less. */
  addConnection(by: 1 | -1): void {
    this.#connections += by;
  }

  /** Counts one more for this address; false when the table is full, and it is not counted. */
  addAddress(address: string): boolean {
    const before = this.#own.get(address) ?? 0;
    if (before === 0 && this.#own.size >= maxAddresses) return false;
    this.#own.set(address, before + 1);
    this.#compare(address, before + 1);
    return true;
  }

  /** Counts one less for an address that was counted. */
  dropAddress(address: string): void {
    const left = (this.#own.get(address) ?? 0) - 1;
    if (left > 0) this.#own.set(address, left);
    else this.#own.delete(address);
    this.#compare(address, left);
  }

  /**
   * What others have to know and have not been told, which is taken for told then; undefined for nothing. Addresses are
   * told in whole steps, rounded down: nobody is refused for connections that are not there.
   */
  takeNews(): ClientNews | undefined {
    if (this.#connections === this.#saidConnections && this.#changed.size === 0) return undefined;
    this.#saidConnections = this.#connections;
    const addresses: AddressCount[] = [];
    for (const address of this.#changed) {
      if (addresses.length === maxRows) break;
      this.#changed.delete(address);
      const told = this.#inSteps(this.#own.get(address) ?? 0);
      if (told > 0) this.#said.set(address, told);
      else this.#said.delete(address);
      addresses.push([address, told]);
    }
    return { connections: this.#connections, addresses };
  }

  /** What all others have together. */
  hear({ connections, addresses }: ClientNews): void {
    this.#connectionsElsewhere = connections;
    for (const [address, count] of addresses)
      if (count <= 0) this.#elsewhere.delete(address);
      else if (this.#elsewhere.has(address) || this.#elsewhere.size < maxAddresses)
        this.#elsewhere.set(address, count);
  }

  #inSteps(count: number): number {
    return this.#step === Infinity ? 0 : count - (count % this.#step);
  }

  #compare(address: string, count: number): void {
    if (this.#step === Infinity) return;
    if (this.#inSteps(count) === (this.#said.get(address) ?? 0)) this.#changed.delete(address);
    else this.#changed.add(address);
  }
}
