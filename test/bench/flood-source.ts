// A child of flood.ts: reports for many nodes as fast as they are taken, and scrapes, until it is told to stop.
import { Agent, request } from 'node:http';

interface Orders {
  readonly intakePort: number;
  readonly nodes: number;
  /** Senders at a time. */
  readonly senders: number;
  readonly scrapeEveryMs: number;
}

const agent = new Agent({ keepAlive: true });
const sent = { reports: 0, scrapes: 0, refused: 0 };
const over = new AbortController();

process.on('message', (message: Orders | 'stop') => {
  if (message === 'stop') {
    over.abort();
    process.send?.(sent, () => process.exit(0));
    return;
  }
  for (let sender = 0; sender < message.senders; sender += 1) void report(message, sender);
  setInterval(
    () => void ask(message.intakePort, 'GET', '/metrics').then(() => (sent.scrapes += 1)),
    message.scrapeEveryMs,
  );
});

async function report({ intakePort, nodes, senders }: Orders, sender: number): Promise<void> {
  for (let turn = 0; !over.signal.aborted; turn += 1) {
    const node = (turn * senders + sender) % nodes;
    const body = JSON.stringify({
      pool: 'chat',
      node: { id: `n${node}`, address: '127.0.0.1', port: 20_000 + node },
      epoch: 'e1',
      seq: 1 + turn,
      ageMs: 0,
      intervalMs: 1000,
      connections: 10,
      signals: { busy: 0.3 + (node % 40) / 100 },
      leaving: false,
    });
    const status = await ask(intakePort, 'POST', '/v1/reports', body);
    sent.reports += 1;
    if (status !== 200) sent.refused += 1;
  }
}

function ask(port: number, method: string, path: string, body = ''): Promise<number> {
  return new Promise((resolve) => {
    const headers = body === '' ? {} : { 'content-type': 'application/json' };
    const asked = request({ agent, port, host: '127.0.0.1', method, path, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', () => resolve(0));
    });
    asked.on('error', () => resolve(0));
    asked.end(body);
  });
}
