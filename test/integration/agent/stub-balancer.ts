// A balancer's intake that does what a test tells it to. Not a test itself.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeReport } from '../../../src/protocol/decode-report.ts';
import type { Report } from '../../../src/protocol/report.ts';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

export interface StubBalancer {
  readonly url: string;
  readonly port: number;
  readonly reports: Report[];
  readonly authorizations: (string | undefined)[];
  /** Answers from now on. */
  answer: Answer;
  /** Resolves when a report that fits arrives, or has arrived since the last call. */
  until(fits: (report: Report) => boolean): Promise<Report>;
  readonly connections: () => Promise<number>;
  close(): Promise<void>;
}

export const taken =
  (adminState = 'ready'): Answer =>
  (response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ directives: { adminState } }));
  };

export const status =
  (code: number, body = ''): Answer =>
  (response) => {
    response.statusCode = code;
    response.end(body);
  };

export const hang: Answer = () => {};

export const reset: Answer = (response) => {
  response.socket?.resetAndDestroy();
};

export async function startStubBalancer(port = 0): Promise<StubBalancer> {
  const reports: Report[] = [];
  const authorizations: (string | undefined)[] = [];
  const waiting = new Set<(report: Report) => void>();
  let seen = 0;
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const report = decodeReport(JSON.parse(text));
      reports.push(report);
      authorizations.push(request.headers.authorization);
      stub.answer(response, request);
      for (const tell of waiting) tell(report);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  const stub: StubBalancer = {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    reports,
    authorizations,
    answer: taken(),
    async until(fits) {
      const early = reports.slice(seen).find(fits);
      const report =
        early ??
        (await new Promise<Report>((resolve) => {
          const tell = (candidate: Report) => {
            if (!fits(candidate)) return;
            waiting.delete(tell);
            resolve(candidate);
          };
          waiting.add(tell);
        }));
      seen = reports.indexOf(report) + 1;
      return report;
    },
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      }),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return stub;
}
