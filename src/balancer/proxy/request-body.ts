// A request's body on its way to a node: read from the client only when the node's connection asks for it.
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/** A body that has not been touched until someone reads it. */
export interface RequestBody {
  readonly stream: Readable;
  /** Whether reading has begun: from then on the request cannot be sent a second time. */
  readonly isStarted: boolean;
}

/**
 * The body of `request` as a stream of its own. Destroying it leaves the request and its connection alone,
 * which a node that answers before it has read everything needs: undici destroys the body it was given.
 * `onBytes` hears the size of each piece, above 0.
 */
export function requestBody(request: IncomingMessage, onBytes: (bytes: number) => void): RequestBody {
  let isStarted = false;
  const onData = (chunk: Buffer): void => {
    onBytes(chunk.length);
    if (!stream.push(chunk)) request.pause();
  };
  const onEnd = (): void => void stream.push(null);
  const stream = new Readable({
    read() {
      if (!isStarted) request.on('data', onData).on('end', onEnd);
      isStarted = true;
      request.resume();
    },
    destroy(error, done) {
      request.off('data', onData).off('end', onEnd);
      done(error);
    },
  });
  return {
    stream,
    get isStarted() {
      return isStarted;
    },
  };
}
