// Posts one event to one receiver, once, and says what came of it. When to try again is delivery.ts's work.
import { Agent, errors, request, type Dispatcher } from 'undici';
import type { Clock } from '../../core/clock.ts';
import type { WebhookConfig } from '../../policy/config.ts';
import { retryAfterMs } from './delivery-backoff.ts';
import type { QueuedEvent } from './delivery-queue.ts';
import type { SendOutcome } from './delivery-ports.ts';
import { signatureOf } from './signature.ts';
import { plainLine } from './webhooks-words.ts';

/** Sends to one receiver over a few kept connections; `close` ends them at once. */
export interface Poster {
  send(event: Readonly<QueuedEvent>, signal: AbortSignal): Promise<SendOutcome>;
  close(): void;
}

/** What a receiver is, as far as posting goes. */
export type Receiver = Pick<WebhookConfig, 'url' | 'secrets' | 'timeoutMs' | 'ca'>;

// What is read of an answer: enough for its first words, and to use the connection again after an ordinary page.
const maxReadBytes = 16 * 1024;
const maxShownBytes = 512;
const maxHeadBytes = 16 * 1024;
// As many as delivery.ts sends at once.
const connections = 8;

const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it closed the connection before it answered',
  UND_ERR_SOCKET: 'it closed the connection before it answered',
  UND_ERR_CONNECT_TIMEOUT: 'it does not accept connections',
  ENOTFOUND: 'the host name does not resolve',
  EAI_AGAIN: 'the name server does not answer',
  UND_ERR_HEADERS_OVERFLOW: 'the head of its answer is too large',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is its own: name it in tls.ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'who signed its certificate is not known: name it in tls.ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'who signed its certificate is not known: name it in tls.ca',
};

/** A poster to this receiver; `version` is the package's. Nothing is opened yet. */
export function createPoster(
  receiver: Receiver,
  { clock, version }: { clock: Clock; version: string },
): Poster {
  const { url, timeoutMs, ca } = receiver;
  // The whole exchange has one bound, from `clock`: undici's own timers are off, but for the one that gives a
  // connection up that was never made. The next attempt would wait for it else.
  const dispatcher = new Agent({
    connections,
    pipelining: 1,
    maxHeaderSize: maxHeadBytes,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: timeoutMs, ...(ca === undefined ? {} : { ca }) },
  });
  return {
    async send(event, signal) {
      const abort = new AbortController();
      const stop = () => abort.abort();
      signal.addEventListener('abort', stop);
      let isLate = false;
      const timer = clock.schedule(timeoutMs, () => {
        isLate = true;
        stop();
      });
      try {
        const headers = headersOf(event, receiver, { clock, version });
        const options = {
          dispatcher,
          method: 'POST',
          headers,
          body: event.body,
          signal: abort.signal,
        } as const;
        return await outcomeOf(await request(url, options), abort.signal);
      } catch (error) {
        const reason = isLate ? `no answer within ${timeoutMs} ms` : failureOf(error);
        return { kind: 'failed', reason };
      } finally {
        timer.cancel();
        signal.removeEventListener('abort', stop);
      }
    },
    close: () => void dispatcher.destroy().catch(() => undefined),
  };
}

function headersOf(
  { id, type, body, attempts }: Readonly<QueuedEvent>,
  { secrets }: Receiver,
  { clock, version }: { clock: Clock; version: string },
): Record<string, string> {
  return {
    'content-type': 'application/json',
    'user-agent': `herald/${version}`,
    'herald-signature': signatureOf(body, Math.floor(clock.wallMs() / 1000), secrets),
    'herald-event-id': id,
    'herald-event-type': type,
    'herald-delivery-attempt': String(attempts),
  };
}

async function outcomeOf(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  signal: AbortSignal,
): Promise<SendOutcome> {
  if (statusCode >= 200 && statusCode < 300) {
    // The status says it: what follows is of no interest, but for the connection to be used again.
    await body.dump({ limit: maxReadBytes, signal }).catch(() => undefined);
    return { kind: 'delivered' };
  }
  const words = await firstWords(body);
  const said = words === '' ? '' : `: ${words}`;
  if (statusCode === 410)
    return { kind: 'refused', reason: `answered 410, it does not want this event${said}` };
  if (statusCode >= 300 && statusCode < 400)
    return {
      kind: 'failed',
      reason: `answered ${statusCode}: redirects are not followed, write the final URL`,
    };
  const field = headers['retry-after'];
  const wishMs = retryAfterMs(typeof field === 'string' ? field : undefined);
  return { kind: 'failed', reason: `answered ${statusCode}${said}`, ...(wishMs !== undefined && { wishMs }) };
}

/** The beginning of a body as one plain line; '' for none, and for one that breaks off. */
async function firstWords(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      // Proof of the cast: a body without an encoding gives buffers.
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      // Leaving the loop destroys the body and its connection.
      if (length > maxShownBytes) break;
    }
  } catch {
    // The status has come all the same.
  }
  return plainLine(Buffer.concat(chunks).subarray(0, maxShownBytes).toString('utf8'));
}

function failureOf(error: unknown): string {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  // The one error of undici's whose code may be missing.
  if (error instanceof errors.HTTPParserError) return `its answer is not HTTP: ${plainLine(message)}`;
  const hint = hints[code];
  return plainLine([code, hint ?? message].filter((part) => part !== '').join(': '));
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
