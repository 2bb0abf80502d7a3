// Sends one case to a proxy and writes down what came of it.
import { connect, type NetConnectOpts } from 'node:net';
import { until } from '../../../support/until.ts';
import type { HygieneCase, Outcome } from './case.ts';
import type { RecordingNode } from './recording-node.ts';

/** How long proxies give a client in these tests: each connection ends by itself, and that is what is waited for. */
export const limits = { headMs: 1_500, requestIdleMs: 1_500, keepAliveMs: 300 } as const;

/** The outcome of `hygieneCase` at the proxy that listens at `target`. */
export async function observe(
  hygieneCase: HygieneCase,
  target: NetConnectOpts,
  node: RecordingNode,
): Promise<Outcome> {
  const received = await converse(target, Buffer.from(hygieneCase.request, 'latin1'));
  const outcome = { told: statusesIn(received), node: node.messages() };
  return hygieneCase.answer === undefined ? outcome : { ...outcome, client: undated(received) };
}

async function converse(target: NetConnectOpts, request: Buffer): Promise<string> {
  let received = '';
  let isOver = false;
  const socket = connect({ ...target, allowHalfOpen: true } as NetConnectOpts);
  socket.on('error', () => undefined);
  socket.on('end', () => socket.end());
  socket.on('close', () => (isOver = true));
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    // A tunnel ends when its client does; everything else ends by itself.
    if (received.startsWith('HTTP/1.1 101 ')) socket.end();
  });
  socket.write(request);
  try {
    await until(
      () => isOver,
      () => `still open, received ${JSON.stringify(received)}`,
      20_000,
    );
  } finally {
    socket.destroy();
  }
  return received;
}

/** Status codes of the answers in `text`: bodies of these tests hold none but where one was smuggled. */
function statusesIn(text: string): string {
  return [...text.matchAll(/HTTP\/1\.[01] (\d{3})[ \r]/g)].map(([, status]) => status).join(' ');
}

// The words of an error page are told by other tests.
function undated(text: string): string {
  if (/^content-type: (?:application\/problem\+json|text\/html)\r$/im.test(text))
    return 'an error of the proxy';
  return text.replaceAll(/^date: .*\r\n/gim, '');
}
