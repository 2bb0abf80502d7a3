// Clients that talk and come back while a node is drained: nobody is cut, everybody is asked to leave by 1012, and is
// connected again soon after. The drain is asked of ADMIN_URL with ADMIN_TOKEN; without them type `herald drain NODE`.
import http from 'k6/http';
import { check, sleep } from 'k6';
import { Counter, Rate, Trend } from 'k6/metrics';
import { setTimeout } from 'k6/timers';
import type { WebSocket } from 'k6/websockets';
import { connect, isOpen, waitMs } from './client.ts';
import { numberOf } from './settings.ts';

const cut = new Counter('client_cut');
const asked = new Counter('client_asked_to_leave');
const wrong = new Counter('client_wrong_echoes');
const returned = new Rate('client_returned');
const away = new Trend('client_away', true);

const admin = __ENV['ADMIN_URL'] ?? '';
const token = __ENV['ADMIN_TOKEN'] ?? '';
const node = __ENV['DRAIN_NODE'] ?? 'n-1';
const clients = numberOf('CLIENTS', 200);
const durationS = numberOf('DURATION_S', 60);
const drainAtS = numberOf('DRAIN_AT_S', 10);
const deadlineS = numberOf('DEADLINE_S', 20);

const talkers = {
  executor: 'per-vu-iterations',
  vus: clients,
  iterations: 1,
  maxDuration: `${durationS + 30}s`,
  exec: 'talk',
};
const operator = {
  executor: 'per-vu-iterations',
  vus: 1,
  iterations: 1,
  startTime: `${drainAtS}s`,
  maxDuration: `${durationS}s`,
  exec: 'drain',
};

export const options = {
  scenarios: admin === '' ? { talkers } : { talkers, operator },
  thresholds: {
    client_cut: ['count==0'],
    client_asked_to_leave: ['count>0'],
    client_wrong_echoes: ['count==0'],
    client_returned: ['rate==1'],
    client_away: [`p(95)<${numberOf('AWAY_P95_MS', 10_000)}`],
    ...(admin === '' ? {} : { checks: ['rate==1'] }),
  },
};

/** A client that comes back until the time is over. */
export function talk(): void {
  stay({ untilMs: Date.now() + durationS * 1000, lostAtMs: undefined, attempt: 1 });
}

interface Stay {
  readonly untilMs: number;
  /** When it lost its connection; undefined for its first. */
  readonly lostAtMs: number | undefined;
  readonly attempt: number;
}

function stay({ untilMs, lostAtMs, attempt }: Stay): void {
  const unheard: string[] = [];
  let number = 0;
  let hasOpened = false;
  let hasLeft = false;
  const say = (socket: WebSocket) => {
    if (!isOpen(socket)) return;
    if (Date.now() > untilMs) {
      hasLeft = true;
      return socket.close(1000);
    }
    number += 1;
    unheard.push(`${__VU}:${number}`);
    socket.send(`${__VU}:${number}`);
    setTimeout(() => say(socket), 200 + 400 * Math.random());
  };
  connect({
    opened(socket) {
      hasOpened = true;
      if (lostAtMs !== undefined) {
        away.add(Date.now() - lostAtMs);
        returned.add(true);
      }
      say(socket);
    },
    heard: (text) => wrong.add(text === unheard.shift() ? 0 : 1),
    closed(code, reason) {
      if (hasLeft) return;
      if (code === 1012) asked.add(1);
      else if (hasOpened) cut.add(1);
      if (Date.now() > untilMs) return returned.add(hasOpened);
      const next = {
        untilMs,
        lostAtMs: hasOpened ? Date.now() : lostAtMs,
        attempt: hasOpened ? 1 : attempt + 1,
      };
      setTimeout(() => stay(next), waitMs(reason, next.attempt));
    },
  });
}

/** The operator: drains the node, looks whether it is empty, and has it back. */
export function drain(): void {
  const url = `${admin}/v1/nodes/${node}/admin-state`;
  const params = { headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } };
  const wish = { adminState: 'drain', deadlineMs: deadlineS * 1000, force: true, why: 'k6 drain-under-load' };
  const told = http.put(url, JSON.stringify(wish), params);
  check(told, { 'the drain is accepted': ({ status }) => status === 200 || status === 202 });
  let left = NaN;
  for (let second = 0; second < deadlineS + 10 && left !== 0; second += 1) {
    sleep(1);
    const detail = http.get(`${admin}/v1/nodes/${node}`, params).json('connections.open');
    left = typeof detail === 'number' ? detail : NaN;
  }
  check(left, { 'the node is empty by its deadline': (count) => count === 0 });
  const back = http.put(url, JSON.stringify({ adminState: 'ready', why: 'k6 drain-under-load' }), params);
  check(back, { 'the node is ready again': ({ status }) => status === 200 });
}
