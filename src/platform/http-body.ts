// Reading a JSON body with a limit. Of what is in it, nothing is known here.
import type { IncomingMessage } from 'node:http';
import { HeraldError, type ErrorCode } from '../core/error.ts';
import type { HttpContext } from './http-app.ts';

/**
 * The parsed JSON of a request. Throws HERALD_BODY_NOT_JSON for another media type or a coded body,
 * HERALD_BODY_TOO_LARGE (also for a chunked body, as soon as it is), and `invalid` for what does not parse.
 */
export async function readJson(
  { req, env }: HttpContext,
  { maxBytes, invalid }: { maxBytes: number; invalid: ErrorCode },
): Promise<unknown> {
  refuseMedia(req.header('content-type'), req.header('content-encoding'));
  const declared = Number(req.header('content-length') ?? 0);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  const text = await readText(env.incoming, maxBytes);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const why = error instanceof Error ? error.message : 'malformed';
    throw new HeraldError(invalid, `the body is not JSON: ${why}`, {}, { cause: error });
  }
}

function refuseMedia(type: string | undefined, coding: string | undefined): void {
  if (type === undefined || !/^application\/json\s*(;|$)/i.test(type))
    throw new HeraldError('HERALD_BODY_NOT_JSON', `Content-Type is '${type ?? ''}', not application/json`);
  if (coding !== undefined && coding.toLowerCase() !== 'identity')
    throw new HeraldError(
      'HERALD_BODY_NOT_JSON',
      `Content-Encoding '${coding}' is not taken: send plain JSON`,
    );
}

/** Read by events: `for await` would destroy the socket on an early exit, and the client never see why. */
function readText(incoming: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (finish: () => void) => {
      incoming.off('data', onData);
      incoming.off('end', onEnd);
      incoming.off('close', onClose);
      finish();
    };
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > maxBytes) settle(() => reject(tooLarge(maxBytes)));
    };
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks, length).toString('utf8')));
    // Nobody is left to read this; it ends the handler.
    const onClose = () =>
      settle(() => reject(new HeraldError('HERALD_REQUEST_INVALID', 'the body ended before its end')));
    // The error of an aborted request is followed by 'close'; without a listener it would end the process.
    incoming.on('error', () => undefined);
    incoming.on('data', onData);
    incoming.on('end', onEnd);
    incoming.on('close', onClose);
  });
}

function tooLarge(maxBytes: number): HeraldError {
  return new HeraldError('HERALD_BODY_TOO_LARGE', `the body is larger than ${maxBytes} bytes`, { maxBytes });
}
