// What the benchmark and its load say to each other, and the two heads of an upgrade.
import { maskedFrame } from '../frame-cursor.ts';

/** How a client reaches the subject. `resumed`: by the session of a client before it. */
export type Security = 'none' | 'full' | 'resumed';

/** One command at a time; each has one answer. */
export type LoadCommand =
  | {
      readonly kind: 'open';
      readonly port: number;
      readonly connections: number;
      readonly payloadBytes: number;
      readonly security: Security;
    }
  /** Every client has one message under way, for so long. */
  | { readonly kind: 'run'; readonly durationMs: number }
  /** So many round trips a second, begun when they are due whatever has become of those before. */
  | { readonly kind: 'pace'; readonly durationMs: number; readonly perSecond: number }
  /** Connect, upgrade, 101, close. */
  | {
      readonly kind: 'handshakes';
      readonly port: number;
      readonly count: number;
      readonly parallel: number;
      readonly security: Security;
    }
  | { readonly kind: 'close' };

/** What came of a command; 0 where it has no such figure. */
export interface LoadAnswer {
  /** Round trips, or handshakes. */
  readonly count: number;
  /** Of `pace`, from when each was due. */
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Sent once at the start: where the echoing node listens. */
export interface LoadReady {
  readonly nodePort: number;
}

export const headEnd = '\r\n\r\n';

/** As browsers send it, about 470 bytes. */
export const upgradeRequest = [
  'GET /bench?room=1 HTTP/1.1',
  'Host: chat.example',
  'Connection: Upgrade',
  'Pragma: no-cache',
  'Cache-Control: no-cache',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Upgrade: websocket',
  'Origin: https://chat.example',
  'Sec-WebSocket-Version: 13',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en;q=0.9',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
  '',
].join('\r\n');

export const upgradeAnswer = [
  'HTTP/1.1 101 Switching Protocols',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  '',
  '',
].join('\r\n');

/** What a client sends, and gets back byte for byte: a proxy counts frames and does not unmask them. */
export const messageOf = maskedFrame;
