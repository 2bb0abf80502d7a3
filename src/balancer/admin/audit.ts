// Who changed what and why, or wanted to: one event and one line of the log for each. Bodies and secrets stay out.
import type { HeraldError } from '../../core/error.ts';
import type { EventRecord } from '../../protocol/operations.ts';
import type { EventFeed } from '../control/ports.ts';

/** One request that changes something. */
export interface Change {
  readonly by: string;
  readonly why: string;
  /** Id of the operation in the API's document, such as `setAdminState`. */
  readonly route: string;
  readonly method: string;
  /** As it was asked for, cut where it is long. */
  readonly path: string;
  /** '' when it is about no pool that exists; so is `node`. */
  readonly pool: string;
  readonly node: string;
}

/** Where audit lines go beside the feed. */
export type Note = (event: string, facts: Readonly<Record<string, unknown>>) => void;

/** Tells changes. */
export interface Audit {
  done(change: Change, status: number): void;
  refused(change: Change, error: HeraldError): void;
}

/** An audit that tells this feed and this log. */
export function createAudit(feed: EventFeed, note: Note): Audit {
  const tell = (change: Change, told: Pick<EventRecord, 'type' | 'message' | 'facts'>) => {
    const { by, why, route, method, path, pool, node } = change;
    const facts = { ...told.facts, route, method, path };
    feed.tell({ type: told.type, pool, node, by, why, message: told.message, facts });
    const about = { ...(pool === '' ? {} : { pool }), ...(node === '' ? {} : { node }) };
    note(told.type === 'change.done' ? 'change done' : 'change refused', { by, why, ...about, ...facts });
  };
  return {
    done(change, status) {
      const message = `${change.by} has done ${change.method} ${change.path}.`;
      tell(change, { type: 'change.done', message, facts: { status } });
    },
    refused(change, { code, status }) {
      const message = `${change.by} was refused ${change.method} ${change.path}: ${code}.`;
      tell(change, { type: 'change.refused', message, facts: { status, code } });
    },
  };
}
