// Carries a sidecar's reports with Node's own HTTP client; the library's sender stands on undici.
import { openHttpLine, readLimited } from '../http-line.ts';
import type { ReportSender } from '../report-sender.ts';

const maxReplyBytes = 64 * 1024;

/** Connects with the first report, and keeps that one connection. `token` undefined: none is sent. */
export function createHttpSender(balancer: URL, token: string | undefined): ReportSender {
  const line = openHttpLine(balancer);
  const path = `${balancer.pathname.replace(/\/+$/, '')}/v1/reports`;
  return {
    post(body, signal) {
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      };
      return line.ask({ method: 'POST', path, headers, body, signal }, async (answer) => {
        // Whoever answers a report with more is no balancer: the rest is not wanted.
        const { bytes } = await readLimited(answer, maxReplyBytes);
        return { status: answer.statusCode ?? 0, body: bytes.toString('utf8') };
      });
    },
    close: async () => line.close(),
  };
}
