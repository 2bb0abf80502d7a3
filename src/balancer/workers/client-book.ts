// Who is connected to the listeners of this machine, as its workers say it, and what each of them has to know of the
// others. What it is held against is the workers' own business.
import type { ListenerClients, OwnListenerClients } from './client-words.ts';

interface Clients {
  connections: number;
  readonly addresses: Map<string, number>;
}

interface Told extends Clients {
  /** Addresses that are not as told, the longest waiting first. */
  readonly changed: Set<string>;
}

// As many as a worker says at once; the rest waits for the next word.
const maxRows = 1000;

/** The sum over the workers, for each listener. */
export class ClientBook {
  readonly #pages = new Map<string, Page>();

  /** Takes a worker's word over. */
  hear(worker: number, listeners: readonly OwnListenerClients[]): void {
    for (const said of listeners) {
      const page = this.#pages.get(said.listener) ?? new Page();
      this.#pages.set(said.listener, page);
      page.hear(worker, said);
    }
  }

  /** A worker has ended, and its connections with it. What it has been told is forgotten, too. */
  drop(worker: number): void {
    for (const page of this.#pages.values()) page.drop(worker);
  }

  /** What this worker has to know of the others and has not been told, which is taken for told then. */
  takeNews(worker: number): readonly ListenerClients[] {
    return [...this.#pages].flatMap(([listener, page]) => page.takeNews(listener, worker) ?? []);
  }
}

/** One listener. */
class Page {
  readonly #parts = new Map<number, Clients>();
  readonly #told = new Map<number, Told>();
  readonly #sums = new Map<string, number>();
  /**
   * Connections of one address from which workers hear of it: half of the limit. What is told is less than an eighth of
   * the limit below what there is, so that nobody reaches the limit unheard; and of a listener with n connections no
   * more than 2n ÷ limit addresses travel.
   */
  #tellFrom = Infinity;

  hear(worker: number, { connections, addresses, connectionsPerAddress }: OwnListenerClients): void {
    const part = this.#parts.get(worker) ?? { connections, addresses: new Map<string, number>() };
    this.#parts.set(worker, part);
    part.connections = connections;
    this.#lowerTo(Math.ceil(connectionsPerAddress / 2));
    for (const [address, count] of addresses) this.#count(part, address, count);
  }

  drop(worker: number): void {
    this.#told.delete(worker);
    const part = this.#parts.get(worker);
    this.#parts.delete(worker);
    if (part === undefined) return;
    for (const address of part.addresses.keys()) this.#count(part, address, 0);
  }

  takeNews(listener: string, worker: number): ListenerClients | undefined {
    const told = this.#told.get(worker) ?? this.#meet(worker);
    let connections = 0;
    for (const [each, part] of this.#parts) if (each !== worker) connections += part.connections;
    if (connections === told.connections && told.changed.size === 0) return undefined;
    told.connections = connections;
    const rows: [string, number][] = [];
    for (const address of told.changed) {
      if (rows.length === maxRows) break;
      told.changed.delete(address);
      const count = this.#beside(worker, address);
      if (count > 0) told.addresses.set(address, count);
      else told.addresses.delete(address);
      rows.push([address, count]);
    }
    return { listener, connections, addresses: rows };
  }

  /** A worker that has been told nothing yet. */
  #meet(worker: number): Told {
    const told: Told = { connections: 0, addresses: new Map(), changed: new Set() };
    this.#told.set(worker, told);
    for (const address of this.#sums.keys()) this.#compare(worker, told, address);
    return told;
  }

  /** Workers that began before and after a change of the limit: by the lower one too much is told, and nothing missed. */
  #lowerTo(tellFrom: number): void {
    if (tellFrom >= this.#tellFrom) return;
    this.#tellFrom = tellFrom;
    for (const [worker, told] of this.#told)
      for (const address of this.#sums.keys()) this.#compare(worker, told, address);
  }

  #count(part: Clients, address: string, count: number): void {
    const before = this.#sums.get(address) ?? 0;
    const sum = before + count - (part.addresses.get(address) ?? 0);
    if (count > 0) part.addresses.set(address, count);
    else part.addresses.delete(address);
    if (sum > 0) this.#sums.set(address, sum);
    else this.#sums.delete(address);
    if (Math.max(before, sum) < this.#tellFrom) return;
    for (const [worker, told] of this.#told) this.#compare(worker, told, address);
  }

  #compare(worker: number, told: Told, address: string): void {
    if (this.#beside(worker, address) === (told.addresses.get(address) ?? 0)) told.changed.delete(address);
    else told.changed.add(address);
  }

  /** What the others have of an address; 0 where all have too few. */
  #beside(worker: number, address: string): number {
    const sum = this.#sums.get(address) ?? 0;
    return sum < this.#tellFrom ? 0 : sum - (this.#parts.get(worker)?.addresses.get(address) ?? 0);
  }
}
