// Everybody connects at once, as after an outage: each client connects, hears one echo, and leaves. Who is told to come
// again (1013) does, by the hint, as a good client.
import { Counter, Rate, Trend } from 'k6/metrics';
import { setTimeout } from 'k6/timers';
import { connect, waitMs } from './client.ts';
import { numberOf } from './settings.ts';

const connected = new Rate('client_connected');
const handshake = new Trend('client_handshake', true);
const crossed = new Counter('client_wrong_echoes');

const clients = numberOf('CLIENTS', 500);
const within = __ENV['WITHIN'] ?? '60s';

export const options = {
  scenarios: {
    storm: {
      exec: 'storm',
      executor: 'per-vu-iterations',
      vus: clients,
      iterations: 1,
      maxDuration: within,
    },
  },
  thresholds: {
    client_connected: ['rate>0.999'],
    client_wrong_echoes: ['count==0'],
    client_handshake: [`p(99)<${numberOf('HANDSHAKE_P99_MS', 5000)}`],
  },
};

const mostAttempts = 10;

/** One client. */
export function storm(): void {
  attempt(1);
}

function attempt(number: number): void {
  const said = `client ${__VU} attempt ${number}`;
  const startedMs = Date.now();
  let isEchoed = false;
  connect({
    opened(socket) {
      handshake.add(Date.now() - startedMs);
      socket.send(said);
    },
    heard(text, socket) {
      crossed.add(text === said ? 0 : 1);
      isEchoed = true;
      socket.close(1000);
    },
    closed(_code, reason) {
      if (isEchoed || number === mostAttempts) connected.add(isEchoed);
      else setTimeout(() => attempt(number + 1), waitMs(reason, number));
    },
  });
}
