// What the access log is told of requests that Herald refuses before it looks for a node, be it their first bytes.
// Who it was is found out by whoever writes it down: where nothing is logged, nobody asks the kernel.
import type { IncomingMessage } from 'node:http';
import { errorCatalogue, type ErrorCode } from '../../core/error.ts';
import { plainAddress } from '../../policy/address.ts';
import { valuesOf } from '../../protocol/http-head.ts';
import type { ConnectionKind } from '../state/ports.ts';
import type { AccessStart } from './access.ts';
import { clientOf, type Origin } from './client.ts';
import type { ProxyDeps } from './ports.ts';
import type { RequestHead } from './request-head.ts';

/** A request as far as it could be read. */
export interface RefusedRequest {
  readonly kind: ConnectionKind;
  readonly method: string;
  readonly head: Pick<RequestHead, 'hostName' | 'target' | 'fields'>;
  /** '' when no route matches, and when none was looked for. */
  readonly pool: string;
}

/** Somebody who is refused. */
export interface Refused {
  /** What stands for the client's connection: requests over the same one have the same. */
  readonly connection: object;
  /** Where it came from; asked at most once, and only where it is logged. */
  readonly origin: () => Origin;
  /** Undefined: no head could be read. */
  readonly asked?: RefusedRequest | undefined;
  /** Whether the client was sent the status of the code; absent: it was. */
  readonly isTold?: boolean;
}

/** Tells the access log, where there is one, that Herald refused with `code`. */
export function logRefusal(
  { access, trusted }: Pick<ProxyDeps, 'access'> & Partial<Pick<ProxyDeps, 'trusted'>>,
  { connection, origin, asked, isTold = true }: Refused,
  code: ErrorCode,
): void {
  const start: AccessStart = {
    connection,
    get client() {
      const from = origin();
      if (asked !== undefined && trusted !== undefined) return clientOf({ trusted }, from, asked.head.fields);
      const address = from.address === '' ? '' : plainAddress(from.address);
      return { address, peerAddress: address };
    },
    head: asked?.head,
    method: asked?.method,
    pool: asked?.pool ?? '',
    requestId: '',
  };
  access?.(start)?.refused(code, asked?.kind, isTold ? errorCatalogue[code].status : undefined);
}

/** What can be told of a request that has passed no check: as sent, but for what may be secret. */
export function uncheckedRequest({ method = '', url = '', rawHeaders }: IncomingMessage): RefusedRequest {
  const [host = ''] = valuesOf(rawHeaders, 'host');
  // A user and a fragment have no place in a request; the access log is no place for them either.
  const target = url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1').replace(/#.*$/, '');
  const hostName = host.replace(/:\d+$/, '').toLowerCase();
  return { kind: 'http', method, head: { hostName, target, fields: rawHeaders }, pool: '' };
}
