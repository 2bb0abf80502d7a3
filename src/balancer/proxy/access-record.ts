// One line of the access log, as a value. Who writes it down is access.ts.
import type { ErrorCode } from '../../core/error.ts';
import type { ConnectionKind } from '../state/ports.ts';
import type { RelayEnd } from './relay.ts';

/** How a connection or an exchange ended: as relays say it, `done` for a whole answer, `refused` by Herald. */
export type AccessEnd = RelayEnd | 'done' | 'refused';

/** One line of the access log. Times in milliseconds; what never came about is undefined. */
export interface AccessRecord {
  /** Number of the client's connection in this process, from 1. */
  readonly connection: number;
  readonly requestId: string | undefined;
  readonly listener: string;
  /** Address of the client; '' when unknown. */
  readonly client: string;
  /** The trusted peer that spoke for it; undefined when there was none. */
  readonly peer: string | undefined;
  /** Undefined when no head could be read, as the three that follow. */
  readonly kind: ConnectionKind | undefined;
  readonly method: string | undefined;
  readonly host: string | undefined;
  /** With the query, if there was one. */
  readonly path: string | undefined;
  readonly pool: string;
  readonly node: string | undefined;
  /** What came of affinity; undefined for a client without a node of its own. */
  readonly affinity: string | undefined;
  /** Nodes tried. */
  readonly attempts: number;
  /** Of the answer; undefined when none was sent. */
  readonly status: number | undefined;
  readonly end: AccessEnd;
  /** Why Herald answered itself. */
  readonly code: ErrorCode | undefined;
  readonly toNodeBytes: number;
  readonly toNodeMessages: number;
  readonly toClientBytes: number;
  readonly toClientMessages: number;
  /** From the request to its last placement, waiting and failed attempts included. */
  readonly placeMs: number | undefined;
  /** From there to the connection with the node; about 0 where one was kept open. */
  readonly dialMs: number | undefined;
  /** From there to the head of the node's answer. */
  readonly answerMs: number | undefined;
  readonly totalMs: number;
}
