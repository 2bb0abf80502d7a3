// Carries one report to one balancer over HTTP. When and how often is the reporter's work.
import { Client } from 'undici';

/** What a balancer answered. */
export interface ReportReply {
  readonly status: number;
  /** At most 64 KiB; more is cut off. */
  readonly body: string;
}

/** A kept-alive connection to one balancer. */
export interface ReportSender {
  /** Rejects when there is no whole answer: the connection fails, or `signal` aborts. */
  post(body: string, signal: AbortSignal): Promise<ReportReply>;
  /** Closes the connection at once. */
  close(): Promise<void>;
}

const maxReplyBytes = 64 * 1024;
/** Longer than the longest interval, so that every report finds the connection open. */
const keepAliveMs = 70_000;

/** Connects with the first report. `token` undefined: none is sent. */
export function createReportSender(balancer: URL, token: string | undefined): ReportSender {
  // The reporter bounds the time of the whole exchange, so undici's own timers are off.
  const client = new Client(balancer.origin, {
    keepAliveTimeout: keepAliveMs,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const path = `${balancer.pathname.replace(/\/+$/, '')}/v1/reports`;
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  return {
    async post(body, signal) {
      const reply = await client.request({ path, method: 'POST', headers, body, signal });
      return { status: reply.statusCode, body: await readSome(reply.body) };
    },
    close: () => client.destroy(),
  };
}

async function readSome(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    // Leaving the loop destroys the body and its connection: whoever answers a report with this is no balancer.
    if (bytes > maxReplyBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxReplyBytes).toString('utf8');
}
