// A WebSocket of k6 with what its types leave out: how it was closed. And messages as texts, without a node's greeting.
import { WebSocket } from 'k6/websockets';
import { webSocketUrl } from './settings.ts';

/** What a client does. */
export interface Client {
  readonly opened: (socket: WebSocket) => void;
  readonly heard: (text: string, socket: WebSocket) => void;
  /** Once, after a handshake that failed, too; 1006 without a close frame. */
  readonly closed: (code: number, reason: string) => void;
}

/** Opens a WebSocket to the target. */
export function connect({ opened, heard, closed }: Client): void {
  const socket = new WebSocket(webSocketUrl);
  socket.addEventListener('open', () => opened(socket));
  socket.addEventListener('message', (event) => {
    const text = 'data' in event && typeof event.data === 'string' ? event.data : '';
    if (!/^node \S+$/.test(text)) heard(text, socket);
  });
  // 'close' follows each error and tells more.
  socket.addEventListener('error', () => {});
  socket.addEventListener('close', (event) => {
    // Proof of `as`: k6 gives its close event these two, the first where a close frame came; its types do not say so.
    const { code = 1006, reason = '' } = event as { code?: number; reason?: string };
    closed(code, reason);
  });
}

/** Whether it may be sent on. By the number: k6's sockets lack the constant `OPEN` that its types have. */
export function isOpen({ readyState }: WebSocket): boolean {
  return readyState === 1;
}

/** When to come back, ms: what a goodbye names, else backoff with jitter. `attempt` counts from 1. */
export function waitMs(reason: string, attempt: number): number {
  const hint = /\bretry-ms=(\d+)$/.exec(reason)?.[1];
  return hint === undefined ? Math.min(10_000, 200 * 2 ** attempt) * (0.5 + Math.random()) : Number(hint);
}
