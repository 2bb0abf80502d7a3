// What every form of the transport must do; run by transport.test.ts on each.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureVersion } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { createTlsSockets } from '../../src/balancer/proxy/tls-sockets.ts';
import { protocolList } from '../../src/balancer/proxy/tls-terms.ts';
import type { TlsTerms, Transport, Wire } from '../../src/balancer/proxy/wire.ts';
import { pcg32 } from '../../src/core/rng.ts';
import { anAuthority } from '../support/authority.ts';
import { Cleanup, Recorder, couple, deferred, randomBytes, startPeer, turns } from './wire-recorder.ts';

const MiB = 1024 * 1024;

/** A wire that the test owns, its recorder, and the socket at its other side. */
interface Pair {
  readonly wire: Wire;
  readonly heard: Recorder;
  readonly peer: Socket;
  /** Resets the connection from the peer's side. */
  breakOff(): void;
}

export function transportContract(name: string, create: () => Promise<Transport>): void {
  describe(`transport: ${name}`, () => {
    const cleanup = new Cleanup();
    afterEach(() => cleanup.run());

    async function dialled(): Promise<Pair> {
      const transport = await create();
      const { promise, resolve } = deferred<Socket>();
      const port = await startPeer(cleanup, resolve);
      const heard = new Recorder();
      const wire = transport.dial({ host: '127.0.0.1', port }, heard);
      cleanup.add(() => wire.destroy());
      await heard.saw('connected');
      const peer = await promise;
      return { wire, heard, peer, breakOff: () => void peer.resetAndDestroy() };
    }

    async function accepted(): Promise<Pair> {
      const transport = await create();
      const { promise, resolve } = deferred<Wire>();
      const listener = await transport.listen({ host: '127.0.0.1', port: 0 }, (wire) => resolve(wire));
      const peer = connect({ host: '127.0.0.1', port: listener.port, allowHalfOpen: true });
      peer.on('error', () => {});
      cleanup.add(() => listener.close());
      cleanup.add(() => peer.destroy());
      const wire = await promise;
      const heard = new Recorder();
      wire.reader = heard;
      cleanup.add(() => wire.destroy());
      return { wire, heard, peer, breakOff: () => void peer.resetAndDestroy() };
    }

    async function secured(version: SecureVersion): Promise<Pair> {
      const { wire: carrier, peer: socket, breakOff } = await accepted();
      const terms = termsOf(version);
      const { promise, resolve } = deferred<Wire>();
      const outcome = { passed: resolve, certificateWrong() {}, failed() {} };
      const beginning = { terms, seen: Buffer.alloc(0), outcome };
      const own = carrier.beginTls(beginning);
      expect(own === undefined).toBe((await create()).tlsForm === 'plain');
      if (own === undefined) createTlsSockets(terms).accept(carrier, beginning);
      const peer = connectTls({ socket, rejectUnauthorized: false });
      peer.on('error', () => {});
      cleanup.add(() => peer.destroy());
      const shaken = once(peer, 'secureConnect');
      const wire = await promise;
      const heard = new Recorder();
      wire.reader = heard;
      cleanup.add(() => wire.destroy());
      await shaken;
      // Tickets, which TLS 1.3 sends behind the handshake.
      await turns();
      return { wire, heard, peer, breakOff };
    }

    const origins = [
      ['dialled', dialled],
      ['accepted', accepted],
      ['over TLS 1.2', () => secured('TLSv1.2')],
      ['over TLS 1.3', () => secured('TLSv1.3')],
    ] as const;

    describe.each(origins)('a wire %s', (_origin, open) => {
      it('carries bytes both ways before and after it becomes a tunnel', async () => {
        const { wire, heard, peer } = await open();
        peer.on('data', (chunk: Buffer) => peer.write(chunk.toString('latin1').toUpperCase()));
        wire.resume();
        wire.send(Buffer.from('xxhello'), 2, 7);
        await heard.until(() => heard.text === 'HELLO');
        wire.useSharedBuffer();
        wire.useSharedBuffer();
        wire.send(Buffer.from('again'), 0, 5);
        await heard.until(() => heard.text === 'HELLOAGAIN');
        expect(heard.count('closed')).toBe(0);
      });

      it('is paused at first, and pause and resume may be repeated', async () => {
        const { wire, heard, peer } = await open();
        peer.write('one');
        await turns();
        expect(heard.receivedBytes).toBe(0);
        wire.resume();
        wire.resume();
        await heard.until(() => heard.text === 'one');
        wire.pause();
        wire.pause();
        peer.write('two');
        await turns();
        expect(heard.text).toBe('one');
        wire.resume();
        await heard.until(() => heard.text === 'onetwo');
      });

      it('tells its other side by address and port', async () => {
        const { wire, peer } = await open();
        expect(wire.remoteAddress).toBe('127.0.0.1');
        expect(wire.remotePort).toBe(peer.localPort);
      });

      it('keeps what the kernel does not take, in a copy, and says when it is gone', async () => {
        const { wire, heard, peer } = await open();
        const sent = randomBytes(pcg32(1), 24 * MiB);
        const scratch = Buffer.alloc(MiB);
        let wasRefused = false;
        for (let at = 0; at < sent.length; at += MiB) {
          sent.copy(scratch, 0, at, at + MiB);
          wasRefused = !wire.send(scratch, 0, MiB) || wasRefused;
          scratch.fill(0);
        }
        expect(wasRefused).toBe(true);
        expect(heard.count('drained')).toBe(0);
        const got = await readBytes(peer, sent.length);
        expect(got.equals(sent)).toBe(true);
        await heard.saw('drained');
        expect(heard.count('drained')).toBe(1);
      });

      it('ends its half behind everything queued, and sends nothing after that', async () => {
        const { wire, peer } = await open();
        const sent = randomBytes(pcg32(2), 12 * MiB);
        expect(wire.send(sent, 0, sent.length)).toBe(false);
        wire.end();
        wire.end();
        expect(wire.send(sent, 0, 10)).toBe(true);
        expect((await readAll(peer)).equals(sent)).toBe(true);
      });

      it('goes on sending after the other side has ended, then closes in order', async () => {
        const { wire, heard, peer } = await open();
        wire.resume();
        peer.end('last');
        await heard.saw('ended');
        expect(heard.text).toBe('last');
        expect(wire.sawEnd).toBe(true);
        expect(wire.isClosed).toBe(false);
        wire.send(Buffer.from('after'), 0, 5);
        wire.end();
        expect((await readAll(peer)).toString()).toBe('after');
        await heard.saw('closed');
        expect(heard.error).toBeUndefined();
        expect(heard.events.slice(-2)).toEqual(['ended', 'closed']);
      });

      it('goes on reading after it has ended its own half, then closes in order', async () => {
        const { wire, heard, peer } = await open();
        wire.resume();
        wire.end();
        await once(peer.resume(), 'end');
        expect(wire.sawEnd).toBe(false);
        peer.end('late');
        await heard.saw('closed');
        expect(heard.text).toBe('late');
        expect(heard.error).toBeUndefined();
        expect(heard.events.slice(-2)).toEqual(['ended', 'closed']);
      });

      it.each([false, true])(
        'destroyed (reset: %s), it tells its owner once and the peer at once',
        async (reset) => {
          const { wire, heard, peer } = await open();
          const peerError = new Promise<unknown>((resolve) => {
            peer.on('error', resolve);
            peer.on('end', () => resolve('end'));
          });
          peer.resume();
          wire.resume();
          wire.destroy({ reset });
          wire.destroy({ reset });
          expect(wire.isClosed).toBe(true);
          expect(heard.events).not.toContain('closed');
          await heard.saw('closed');
          expect(heard.error).toBeUndefined();
          expect(await peerError).toEqual(reset ? expect.objectContaining({ code: 'ECONNRESET' }) : 'end');
          await turns();
          expect(heard.count('closed')).toBe(1);
        },
      );

      it('does nothing and throws nothing once it is closed', async () => {
        const { wire, heard } = await open();
        wire.destroy();
        expect(wire.send(Buffer.from('x'), 0, 1)).toBe(true);
        wire.useSharedBuffer();
        wire.resume();
        wire.pause();
        wire.end();
        await heard.saw('closed');
        wire.resume();
        wire.end();
        expect(wire.send(Buffer.from('x'), 0, 1)).toBe(true);
        await turns();
        expect(heard.events.filter((event) => event !== 'connected')).toEqual(['closed']);
      });

      it('closes with the error when the other side resets it while reading', async () => {
        const { wire, heard, breakOff } = await open();
        wire.resume();
        breakOff();
        await heard.saw('closed');
        expect(heard.error?.code).toBe('ECONNRESET');
        expect(wire.isClosed).toBe(true);
        expect(heard.events.at(-1)).toBe('closed');
      });

      it('closes with the error when the other side resets it while bytes are queued', async () => {
        const { wire, heard, breakOff } = await open();
        wire.send(Buffer.alloc(24 * MiB), 0, 24 * MiB);
        wire.send(Buffer.alloc(10), 0, 10);
        breakOff();
        await heard.saw('closed');
        expect(['ECONNRESET', 'EPIPE']).toContain(heard.error?.code);
        expect(heard.count('drained')).toBe(0);
      });

      it('survives sending after the other side has reset it', async () => {
        const { wire, heard, peer, breakOff } = await open();
        breakOff();
        await once(peer, 'close');
        for (let i = 0; i < 1000 && !wire.isClosed; i++) {
          wire.send(Buffer.from('x'), 0, 1);
          await turns(1);
        }
        await heard.saw('closed');
        expect(['ECONNRESET', 'EPIPE']).toContain(heard.error?.code);
        expect(heard.count('closed')).toBe(1);
      });

      it('closes when it is reset after it ended its own half', async () => {
        const { wire, heard, peer, breakOff } = await open();
        wire.resume();
        wire.end();
        await once(peer.resume(), 'end');
        breakOff();
        await heard.saw('closed');
        expect(heard.error?.code).toBe('ECONNRESET');
      });

      it('can be destroyed by reset while its end waits for queued bytes', async () => {
        const { wire, heard, peer } = await open();
        wire.send(Buffer.alloc(24 * MiB), 0, 24 * MiB);
        wire.end();
        // libuv may report a reset that comes behind bytes as an end: what counts is that the peer hears of it.
        const peerHeard = new Promise<void>((resolve) => {
          peer.once('error', () => resolve());
          peer.once('end', () => resolve());
        });
        wire.destroy({ reset: true });
        await heard.saw('closed');
        peer.resume();
        await peerHeard;
        expect(heard.count('closed')).toBe(1);
      });

      it('hears nothing but closed after it destroys itself among many reads', async () => {
        const { wire, heard, peer } = await open();
        heard.onEvent = (event) => {
          if (event === 'bytes') wire.destroy();
        };
        peer.write(Buffer.alloc(8 * MiB));
        peer.end();
        wire.useSharedBuffer();
        wire.resume();
        await heard.saw('closed');
        await turns();
        expect(heard.events.filter((event) => event !== 'connected')).toEqual(['bytes', 'closed']);
      });

      it('can change its reader between two reads', async () => {
        const { wire, heard, peer } = await open();
        const second = new Recorder();
        heard.onEvent = (event) => {
          if (event === 'bytes') wire.reader = second;
        };
        wire.resume();
        peer.write('a');
        await heard.until(() => heard.text === 'a');
        peer.end('b');
        await second.saw('ended');
        expect([heard.text, second.text]).toEqual(['a', 'b']);
        expect(heard.count('ended')).toBe(0);
      });

      it('gives its connection away as a socket that yields the bytes seen first', async () => {
        const { wire, heard, peer } = await open();
        wire.resume();
        peer.write('head');
        await heard.until(() => heard.text === 'head');
        const socket = wire.toSocket(Buffer.from(heard.text));
        cleanup.add(() => socket.destroy());
        expect(wire.isClosed).toBe(true);
        peer.end(' and body');
        expect((await readAll(socket)).toString()).toBe('head and body');
        socket.end('answer');
        expect((await readAll(peer)).toString()).toBe('answer');
        await turns();
        expect(heard.events.filter((event) => event !== 'connected')).toEqual(['bytes']);
        expect(() => wire.toSocket(Buffer.alloc(0))).toThrow('only an open wire');
      });

      it('cannot become a socket once it is a tunnel', async () => {
        const { wire } = await open();
        wire.useSharedBuffer();
        expect(() => wire.toSocket(Buffer.alloc(0))).toThrow('only an open wire');
      });
    });

    describe('a coupled pair', () => {
      it.each([
        { tunnel: true, seed: 11 },
        { tunnel: false, seed: 12 },
      ])('is byte exact for random bytes, cuts and stalls (tunnel: $tunnel)', async ({ tunnel, seed }) => {
        const transport = await create();
        const nodePort = await startPeer(cleanup, (socket) => stallingEcho(socket, seed));
        const listener = await transport.listen({ host: '127.0.0.1', port: 0 }, (downstream) => {
          const reader = new Recorder();
          const upstream = transport.dial({ host: '127.0.0.1', port: nodePort }, reader);
          cleanup.add(() => upstream.destroy());
          cleanup.add(() => downstream.destroy());
          couple(downstream, upstream, tunnel);
        });
        cleanup.add(() => listener.close());
        const flows = [0, 1, 2, 3].map(async (n) => {
          const sent = randomBytes(pcg32(seed * 10 + n), 10 * MiB);
          const client = connect({ host: '127.0.0.1', port: listener.port, allowHalfOpen: true });
          cleanup.add(() => client.destroy());
          const got = readStalling(client, seed + n);
          await writeInPieces(client, sent, seed + n);
          client.end();
          return (await got).equals(sent);
        });
        expect(await Promise.all(flows)).toEqual([true, true, true, true]);
      });

      it('never writes to a descriptor that has become another connection', async () => {
        const transport = await create();
        const foreign: string[] = [];
        let bytes = 0;
        const port = await startPeer(cleanup, (socket) => {
          let tag = -1;
          socket.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (tag < 0) tag = chunk[0] ?? 0;
            if (chunk.some((byte) => byte !== tag)) foreign.push(`${tag}: ${[...new Set(chunk)].join()}`);
          });
        });
        const rng = pcg32(7);
        const wires: { wire: Wire; payload: Buffer }[] = [];
        let tag = 0;
        const open = (): { wire: Wire; payload: Buffer } => {
          tag = (tag + 1) % 251;
          const wire = transport.dial({ host: '127.0.0.1', port }, new Recorder());
          return { wire, payload: Buffer.alloc(1 + Math.floor(rng.next() * 3000), tag) };
        };
        // Each turn destroys some wires, dials others, which take the free descriptors at once, and lets
        // every writer go on, those of destroyed wires, too.
        for (let round = 0; round < 600; round++) {
          for (let i = 0; i < 6; i++) {
            const old = wires[Math.floor(rng.next() * wires.length)];
            old?.wire.destroy({ reset: rng.next() < 0.5 });
            wires.push(open());
            if (wires.length > 60) wires.shift()?.wire.destroy();
          }
          for (const { wire, payload } of wires) wire.send(payload, 0, payload.length);
          await turns(1);
        }
        for (const { wire } of wires) wire.destroy();
        await turns();
        expect(foreign).toEqual([]);
        expect(bytes).toBeGreaterThan(MiB);
      });
    });

    describe('dialling', () => {
      it('closes with the error when nobody listens', async () => {
        const transport = await create();
        const port = await freePort();
        const heard = new Recorder();
        const wire = transport.dial({ host: '127.0.0.1', port }, heard);
        await heard.saw('closed');
        expect(heard.events).toEqual(['closed']);
        expect(heard.error?.code).toBe('ECONNREFUSED');
        expect(wire.isClosed).toBe(true);
      });

      it('sends what was given before it was connected, and ends behind it', async () => {
        const transport = await create();
        const got = deferred<Buffer>();
        const port = await startPeer(cleanup, (socket) => void readAll(socket).then(got.resolve));
        const heard = new Recorder();
        const wire = transport.dial({ host: '127.0.0.1', port }, heard);
        cleanup.add(() => wire.destroy());
        expect(wire.send(Buffer.from('early '), 0, 6)).toBe(false);
        expect(wire.send(Buffer.from('bird'), 0, 4)).toBe(false);
        wire.end();
        expect((await got.promise).toString()).toBe('early bird');
        await heard.saw('drained');
        expect(heard.events).toEqual(['connected', 'drained']);
      });

      it('can be given up before it is connected', async () => {
        const transport = await create();
        const port = await startPeer(cleanup, () => {});
        const heard = new Recorder();
        const wire = transport.dial({ host: '127.0.0.1', port }, heard);
        wire.resume();
        wire.send(Buffer.from('never'), 0, 5);
        wire.destroy({ reset: true });
        await heard.saw('closed');
        await turns();
        expect(heard.events).toEqual(['closed']);
        expect(heard.error).toBeUndefined();
      });

      it('to a listener that accepts nothing can be given up', async () => {
        const transport = await create();
        const port = await startBlackHole(cleanup);
        // The backlog takes a few connections; those behind it get no answer at all.
        const dials = Array.from({ length: 8 }, () => {
          const heard = new Recorder();
          return { heard, wire: transport.dial({ host: '127.0.0.1', port }, heard) };
        });
        await turns(200);
        const hanging = dials.filter(({ heard }) => heard.events.length === 0);
        expect(hanging.length).toBeGreaterThan(0);
        for (const { wire } of dials) wire.destroy();
        for (const { heard } of dials) await heard.saw('closed');
        await turns();
        for (const { heard } of hanging) expect(heard.events).toEqual(['closed']);
      });

      it('reaches IPv6 addresses', async (context) => {
        const transport = await create();
        const first = deferred<Wire>();
        const listener = await transport
          .listen({ host: '::1', port: 0 }, (wire) => first.resolve(wire))
          .catch(() => undefined);
        if (listener === undefined) return context.skip('this machine has no IPv6 loopback');
        cleanup.add(() => listener.close());
        const heard = new Recorder();
        const wire = transport.dial({ host: '::1', port: listener.port }, heard);
        cleanup.add(() => wire.destroy());
        await heard.saw('connected');
        const other = await first.promise;
        cleanup.add(() => other.destroy());
        expect([wire.remoteAddress, other.remoteAddress, listener.host]).toEqual(['::1', '::1', '::1']);
      });
    });

    describe('listening', () => {
      it('says which address cannot be bound', async () => {
        const transport = await create();
        const port = await startPeer(cleanup, () => {});
        await expect(transport.listen({ host: '127.0.0.1', port }, () => {})).rejects.toMatchObject({
          code: 'HERALD_LISTEN_FAILED',
          details: { host: '127.0.0.1', port },
        });
      });

      it('closed, lets accepted wires live and frees the port', async () => {
        const transport = await create();
        const first = deferred<Wire>();
        const listener = await transport.listen({ host: '127.0.0.1', port: 0 }, (wire) =>
          first.resolve(wire),
        );
        const client = connect(listener.port, '127.0.0.1');
        cleanup.add(() => client.destroy());
        const wire = await first.promise;
        cleanup.add(() => wire.destroy());
        await listener.close();
        await listener.close();
        wire.send(Buffer.from('alive'), 0, 5);
        expect((await readBytes(client, 5)).toString()).toBe('alive');
        const again = await transport.listen({ host: '127.0.0.1', port: listener.port }, () => {});
        await again.close();
      });
    });
  });
}

function termsOf(version: SecureVersion): TlsTerms {
  const { certPem: cert, keyPem: key } = anAuthority().issue('local', ['DNS:localhost']);
  const options = { cert, key, minVersion: version, maxVersion: version };
  const protocols = protocolList('http/1.1');
  return { options, context: createSecureContext(options), protocols, clientCertificates: 'off' };
}

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

async function readBytes(socket: Socket, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const { promise, resolve } = deferred<void>();
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= size) resolve(undefined);
  });
  await promise;
  return Buffer.concat(chunks);
}

/** Reads with pauses drawn by chance, long enough for the buffers on the way to fill. */
async function readStalling(socket: Socket, seed: number): Promise<Buffer> {
  const rng = pcg32(seed);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (rng.next() < 0.9) return;
    socket.pause();
    setTimeout(() => socket.resume(), rng.next() * 20);
  });
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

async function writeInPieces(socket: Socket, bytes: Buffer, seed: number): Promise<void> {
  const rng = pcg32(seed + 1000);
  for (let at = 0; at < bytes.length;) {
    const size = rng.next() < 0.2 ? 1 + Math.floor(rng.next() * 300) : Math.floor(rng.next() * 200_000);
    if (!socket.write(bytes.subarray(at, at + size))) await once(socket, 'drain');
    at += size;
  }
}

function stallingEcho(socket: Socket, seed: number): void {
  const rng = pcg32(seed + 2000);
  socket.on('data', (chunk: Buffer) => {
    const hasRoom = socket.write(chunk);
    if (!hasRoom) socket.pause();
    if (rng.next() < 0.9) return;
    socket.pause();
    setTimeout(() => socket.resume(), rng.next() * 20);
  });
  socket.on('drain', () => socket.resume());
  socket.on('end', () => socket.end());
}

async function freePort(): Promise<number> {
  const cleanup = new Cleanup();
  const port = await startPeer(cleanup, () => {});
  await cleanup.run();
  return port;
}

/** A process that listens with a backlog of one and never accepts: a black hole on loopback. */
async function startBlackHole(cleanup: Cleanup): Promise<number> {
  const script = `
    const server = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('fs').writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30000);
    });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanup.add(() => child.kill('SIGKILL'));
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return Number(port.toString());
}
