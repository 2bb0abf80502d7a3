// Clients that stay and talk: each message is numbered, names its client, and must come back as it is and in order.
import { Counter, Rate, Trend } from 'k6/metrics';
import { setTimeout } from 'k6/timers';
import type { WebSocket } from 'k6/websockets';
import { connect, isOpen } from './client.ts';
import { numberOf } from './settings.ts';

const wrong = new Counter('client_wrong_echoes');
const heard = new Counter('client_echoes');
const kept = new Rate('client_kept');
const roundTrip = new Trend('client_round_trip', true);

const clients = numberOf('CLIENTS', 200);
const everyMs = numberOf('MESSAGE_EVERY_MS', 500);
const stayMs = numberOf('STAY_S', 20) * 1000;

export const options = {
  scenarios: {
    soak: {
      exec: 'stay',
      executor: 'constant-vus',
      vus: clients,
      duration: __ENV['DURATION'] ?? '10m',
      gracefulStop: `${Math.ceil(stayMs / 1000) + 10}s`,
    },
  },
  thresholds: {
    client_wrong_echoes: ['count==0'],
    client_kept: ['rate==1'],
    client_echoes: ['count>0'],
    client_round_trip: [`p(99)<${numberOf('ROUND_TRIP_P99_MS', 2000)}`],
  },
};

const filler = 'abcdefghijklmnopqrstuvwxyz'.repeat(40);

/** One client. */
export function stay(): void {
  const unheard: { readonly text: string; readonly atMs: number }[] = [];
  let number = 0;
  let hasLeft = false;
  const talk = (socket: WebSocket) => {
    if (!isOpen(socket)) return;
    number += 1;
    // As many small ones as large ones, up to 1 KiB.
    const text = `${__VU}:${__ITER}:${number}:${filler.slice(0, Math.floor(2 ** (10 * Math.random())))}`;
    unheard.push({ text, atMs: Date.now() });
    socket.send(text);
    setTimeout(() => talk(socket), everyMs * (0.5 + Math.random()));
  };
  const leave = (socket: WebSocket) => {
    if (!isOpen(socket)) return;
    hasLeft = true;
    socket.close(1000);
  };
  connect({
    opened(socket) {
      talk(socket);
      setTimeout(() => leave(socket), stayMs * (0.5 + Math.random() / 2));
    },
    heard(text) {
      const expected = unheard.shift();
      wrong.add(text === expected?.text ? 0 : 1);
      heard.add(1);
      if (expected !== undefined) roundTrip.add(Date.now() - expected.atMs);
    },
    // Whoever ends before it leaves was dropped.
    closed: () => kept.add(hasLeft),
  });
}
