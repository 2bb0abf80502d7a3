// What a process and the one that replaces it say to each other: JSON over the channel between parent and child. They
// may be of two releases, so whatever is not understood is left out.
import type { PeerPlace } from '../state/shared-store.ts';
import type { NodeCounts } from './counts.ts';

/** From the old process to the new one. */
export type ToSuccessor =
  /** The saved state of this moment, as the state file has it; nothing is changed here any more. */
  | { readonly type: 'state'; readonly text: string; readonly peer?: PeerHeritage | undefined }
  /** The old one accepts nothing more and writes nothing more. */
  | { readonly type: 'released' }
  /** What older processes still carry: one entry each, those without connections included. `isWhole`: nodes left out have none. */
  | { readonly type: 'counts'; readonly isWhole: boolean; readonly processes: readonly ProcessCounts[] };

/** From the new process to the old one. */
export type ToPredecessor =
  /** The configuration is sound: it needs the state, and then it listens. */
  | { readonly type: 'prepared' }
  /** Every listener accepts. `taken`: keys of the inherited sockets among them. `peer`: who it is to other balancers. */
  | { readonly type: 'serving'; readonly taken: readonly string[]; readonly peer?: PeerPlace | undefined }
  /** Whoever watches over the service knows that it is this process now: the old one may end. */
  | { readonly type: 'settled' }
  /** It cannot start, and why. */
  | { readonly type: 'failed'; readonly reason: string }
  /** What an operator wants of nodes from now on. */
  | { readonly type: 'wish'; readonly wish: NodeWish };

/** What a process that shares its state hands over, beside what is saved. */
export interface PeerHeritage {
  readonly place: PeerPlace;
  /** Under which it says its counts: they go on, so that peers see no restart in them. */
  readonly countsEpoch: string;
  /** The highest fencing token that it has seen; 0 before any. */
  readonly token: number;
}

/** What the new process has said when it serves. */
export type Serving = ToPredecessor & { type: 'serving' };

/** What one process carries, by pool and node id. */
export interface ProcessCounts {
  readonly generation: number;
  readonly pid: number;
  readonly pools: Readonly<Record<string, Readonly<Record<string, NodeCounts>>>>;
}

/** A change of admin state, as older processes need it: each sheds its own connections. */
export interface NodeWish {
  readonly pool: string;
  readonly node: string;
  readonly adminState: 'ready' | 'drain' | 'maint';
  /** When the node must be empty, from now; null where it is not drained. */
  readonly deadlineMs: number | null;
}

/** A message from the other process; undefined for what this release does not know. */
export function readMessage<Message extends ToSuccessor | ToPredecessor>(
  value: unknown,
  type: Message['type'],
): Message | undefined {
  if (typeof value !== 'object' || value === null || Reflect.get(value, 'type') !== type) return undefined;
  // The other end of the channel is a Herald that we started or that started us: its types are these.
  return value as Message;
}
