// Carries reports with Node's own HTTP client: the library's sender stands on undici, whose parser takes more memory
// than all else that a sidecar does.
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { Agent, request } from 'node:http';
import type { ReportReply, ReportSender } from '../report-sender.ts';

const maxReplyBytes = 64 * 1024;

type Send = (options: RequestOptions, answer: (response: IncomingMessage) => void) => ClientRequest;

interface Line {
  readonly send: Send;
  readonly agent: Agent;
}

/** Connects with the first report, and keeps that one connection. `token` undefined: none is sent. */
export function createHttpSender(balancer: URL, token: string | undefined): ReportSender {
  const line = openLine(balancer);
  const path = `${balancer.pathname.replace(/\/+$/, '')}/v1/reports`;
  return {
    async post(body, signal) {
      const { send, agent } = await line;
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      };
      const { hostname, port } = balancer;
      const host = hostname.replace(/^\[(.*)\]$/, '$1');
      return exchange(send, { host, port, path, method: 'POST', headers, agent, signal }, body);
    },
    close: async () => (await line).agent.destroy(),
  };
}

async function openLine({ protocol }: URL): Promise<Line> {
  const options = { keepAlive: true, maxSockets: 1 };
  if (protocol === 'http:') return { send: request, agent: new Agent(options) };
  // TLS is some megabytes more: loaded where it is spoken.
  const https = await import('node:https');
  return { send: https.request, agent: new https.Agent(options) };
}

function exchange(send: Send, options: RequestOptions, body: string): Promise<ReportReply> {
  return new Promise((resolve, reject) => {
    const sent = send(options, (response) => {
      readSome(response).then((text) => resolve({ status: response.statusCode ?? 0, body: text }), reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function readSome(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    // Proof of the cast: a response without an encoding gives buffers.
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    // Leaving the loop destroys the answer and its connection: whoever answers a report with this is no balancer.
    if (bytes > maxReplyBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxReplyBytes).toString('utf8');
}
