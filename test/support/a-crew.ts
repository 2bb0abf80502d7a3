// A crew whose workers are rooms of the same process, on a clock that the test moves. What crosses between processes is
// cloned as it would be there.
import { ClientCensus, type Seat } from '../../src/balancer/proxy/census.ts';
import { ClientCounts } from '../../src/balancer/proxy/client-counts.ts';
import { createRelayDataPlane } from '../../src/balancer/state/relay-data-plane.ts';
import type { Carrier, DataPlane, Goodbye, GoodbyeOutcome, Lease } from '../../src/balancer/state/ports.ts';
import { Crew } from '../../src/balancer/workers/crew.ts';
import { Hearing } from '../../src/balancer/workers/hearing.ts';
import type { FromWorker, ToWorker } from '../../src/balancer/workers/messages.ts';
import { Saying } from '../../src/balancer/workers/saying.ts';
import type { WorkerEvents, WorkerProcess } from '../../src/balancer/workers/seat.ts';
import type { CountedSeries } from '../../src/protocol/workers.ts';
import type { EventRecord } from '../../src/protocol/operations.ts';
import { anOpenPolicy } from './a-policy.ts';
import { aRoom, type Notice, type Room } from './a-room.ts';
import { ManualClock } from './manual-clock.ts';

/** A worker that runs in this process. */
export interface RoomWorker {
  readonly pid: number;
  readonly room: Room;
  /** Who is connected to its listener `public`. */
  readonly census: ClientCensus;
  /** Connects clients until one is refused, `times` at most; gives those that are in. */
  crowd(times: number, address?: string): Seat[];
  /** Everything that it was told. */
  readonly told: readonly ToWorker[];
  /** Says something of its own. */
  say(message: FromWorker): void;
  /** Opens a connection on whatever node is placed; undefined when refused. */
  connect(): Lease | undefined;
  /** Goodbyes said to its connections; the test says what comes of each. */
  readonly goodbyes: { readonly goodbye: Goodbye; readonly settled: (outcome: GoodbyeOutcome) => void }[];
  /** Ends as a crashed process does. */
  crash(): void;
  /** Says nothing any more, and hears nothing. */
  hang(): void;
}

/** A main process and its workers. */
export interface CrewHouse {
  readonly clock: ManualClock;
  readonly main: Room;
  readonly crew: Crew;
  readonly plane: DataPlane;
  /** Workers in the order in which they were started. */
  readonly workers: readonly RoomWorker[];
  readonly events: Omit<EventRecord, 'id' | 'at'>[];
  readonly notices: Notice[];
  readonly counted: (readonly [process: string, series: readonly CountedSeries[]])[];
  /** Workers that start from now on fail like this. */
  failWith(failure: 'ends' | 'cannot bind' | undefined): void;
}

interface Limits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

/** Starts the crew; `start` is what came of it. */
export async function aCrewHouse(
  options: {
    workers?: number;
    nodes?: readonly string[];
    failure?: 'ends' | 'cannot bind';
    limits?: Partial<Limits>;
  } = {},
): Promise<CrewHouse & { readonly start: PromiseSettledResult<void> }> {
  const { workers: count = 2, nodes = ['a', 'b'] } = options;
  const clock = new ManualClock();
  const main = aRoom({ clock, nodes, policy: anOpenPolicy() });
  const workers: RoomWorker[] = [];
  const events: CrewHouse['events'] = [];
  const notices: Notice[] = [];
  const counted: CrewHouse['counted'] = [];
  const limits = { connections: Infinity, connectionsPerAddress: Infinity, ...options.limits };
  let failure = options.failure;
  const crew = new Crew({
    clock,
    tell: (event) => void events.push(event),
    notice: (_level, event, facts) => void notices.push({ event, facts }),
    counted: (process, series) => void counted.push([process, series]),
  });
  const plane = crew.dataPlane(main.registry.pools);
  const starting = crew.start({
    workers: count,
    registry: main.registry,
    // A worker of this house makes its own room: it needs no files.
    settings: () => ({ config: undefined as never, policies: new Map() }),
    sections: () => [],
    spawn: (number, hears) => {
      const worker = aRoomWorker(number, { clock, nodes, hears, failure, limits, count });
      workers.push(worker);
      return worker;
    },
  });
  clock.advance(0);
  const [start] = await Promise.allSettled([starting]);
  const failWith = (next: typeof failure) => (failure = next);
  return { clock, main, crew, plane, workers, events, notices, counted, failWith, start };
}

interface WorkerParts {
  readonly clock: ManualClock;
  readonly nodes: readonly string[];
  readonly hears: WorkerEvents;
  readonly failure: 'ends' | 'cannot bind' | undefined;
  readonly limits: Limits;
  /** Workers in all. */
  readonly count: number;
}

function aRoomWorker(worker: number, parts: WorkerParts): RoomWorker & WorkerProcess {
  const { clock, nodes, hears, failure, limits } = parts;
  const pid = 1000 + worker * 100 + Math.floor(clock.nowMs() % 100);
  const room = aRoom({ clock, nodes, policy: anOpenPolicy() });
  const dataPlane = createRelayDataPlane({ pools: room.registry.pools, clock });
  const { connectionsPerAddress } = limits;
  const counts = new ClientCounts({ processes: parts.count, connectionsPerAddress });
  const census = new ClientCensus({ ...limits, counts });
  const told: ToWorker[] = [];
  const goodbyes: RoomWorker['goodbyes'] = [];
  let isGone = false;
  let isHanging = false;
  const say = (message: FromWorker) => {
    if (!isGone && !isHanging) hears.heard(structuredClone(message));
  };
  const hearing = new Hearing({ registry: room.registry, dataPlane, clock, send: say });
  const leases = new Set<Lease>();
  const saying = new Saying({
    clock,
    pools: room.registry.pools,
    dataPlane,
    openCount: () => leases.size,
    takeClientNews: () => {
      const news = counts.takeNews();
      return news === undefined ? [] : [{ listener: 'public', connectionsPerAddress, ...news }];
    },
    waitingBytes: () => 1000 * worker,
    counted: () => [['herald_relay_ends_total', { reason: 'closed' }, 3]],
    use: () => ({ cpuSeconds: 1, residentBytes: 2, lagMs: 3 }),
    send: say,
  });
  const end = (how: string) => {
    if (isGone) return;
    isGone = true;
    saying.stop();
    hears.ended(how);
  };
  const hear = (message: ToWorker) => {
    told.push(message);
    if (message.type === 'begin') {
      if (failure === 'cannot bind')
        return say({ type: 'failed', code: 'HERALD_LISTEN_FAILED', reason: 'cannot listen: EADDRINUSE' });
      hearing.reports(message.reports);
      hearing.states(message.nodes);
      hearing.others(message.others, true, true);
      for (const clients of message.clients) counts.hear(clients);
      say({ type: 'serving', relayForms: { form: 'fast', tls: 'fast' } });
      saying.start();
    } else if (message.type === 'reports') hearing.reports(message.reports);
    else if (message.type === 'nodes') hearing.states(message.nodes);
    else if (message.type === 'others') hearing.others(message.others, message.isWhole);
    else if (message.type === 'clients') for (const clients of message.listeners) counts.hear(clients);
    else if (message.type === 'shed') hearing.shed(message.orders);
    else if (message.type === 'watch') saying.watch(message.pool);
    else if (message.type === 'stop') {
      say({ type: 'stopped', report: { closed: leases.size, refusedByPeer: 0, cut: 0 } });
      end('ended with 0');
    }
  };
  clock.schedule(0, () => (failure === 'ends' ? end('ended with 1') : say({ type: 'ready' })));
  return {
    pid,
    room,
    census,
    crowd(times, address = '') {
      const seats: Seat[] = [];
      while (seats.length < times) {
        const seat = census.enter('connection', address);
        if (typeof seat === 'string') break;
        seats.push(seat);
      }
      return seats;
    },
    told,
    say,
    goodbyes,
    send: (message) => void (isGone || isHanging || hear(structuredClone(message))),
    kill: () => end('was ended by SIGKILL'),
    crash: () => end('was ended by SIGSEGV'),
    hang: () => (isHanging = true),
    connect() {
      const lease = room.place();
      lease?.opened();
      if (lease === undefined) return undefined;
      leases.add(lease);
      const carrier: Carrier = {
        nodeId: lease.node.id,
        kind: 'websocket',
        leave: (goodbye, settled) =>
          void goodbyes.push({
            goodbye,
            settled: (outcome) => {
              leases.delete(lease);
              lease.release();
              settled(outcome);
            },
          }),
      };
      lease.carriedBy(carrier);
      return lease;
    },
  };
}
