// What is particular to one form: choosing it, its descriptors, and what happens when there are none left.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { loadTcpHooks } from '../../../src/balancer/proxy/tcp-hooks.ts';
import type { TcpHooks } from '../../../src/balancer/proxy/tcp-hooks.ts';
import { loadTlsHooks, type TlsHooks } from '../../../src/balancer/proxy/tls-hooks.ts';
import { resetSocket } from '../../../src/balancer/proxy/reset-socket.ts';
import { createTransport } from '../../../src/balancer/proxy/transport.ts';
import { HeraldError } from '../../../src/core/error.ts';
import { Cleanup, Recorder, startPeer, turns } from '../../contract/wire-recorder.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

function missingHooks(): never {
  throw new HeraldError('HERALD_TRANSPORT_UNAVAILABLE', 'no usable tcp_wrap.TCP');
}

describe('createTransport', () => {
  it('takes the fast form where its hooks work, and leaves no timer behind', async () => {
    const clock = new ManualClock();
    const transport = await createTransport({ form: 'auto', clock });
    expect([transport.form, transport.tlsForm, transport.fallbackReason]).toEqual([
      'fast',
      'fast',
      undefined,
    ]);
    expect(clock.pending).toBe(0);
  });

  it('takes the plain form when asked for it, without a reason', async () => {
    const transport = await createTransport({ form: 'plain' });
    expect([transport.form, transport.tlsForm, transport.fallbackReason]).toEqual([
      'plain',
      'plain',
      undefined,
    ]);
  });

  it('falls back on the plain form where hooks are missing, and says which', async () => {
    const transport = await createTransport({ form: 'auto', loadHooks: missingHooks });
    expect([transport.form, transport.fallbackReason]).toEqual(['plain', 'no usable tcp_wrap.TCP']);
    await expect(createTransport({ form: 'fast', loadHooks: missingHooks })).rejects.toMatchObject({
      code: 'HERALD_TRANSPORT_UNAVAILABLE',
    });
  });

  it('leaves TLS to sockets where hooks of TLS are missing, and says which', async () => {
    const loadTls = (): never => {
      throw new HeraldError('HERALD_TRANSPORT_UNAVAILABLE', 'no usable tls_wrap.wrap');
    };
    const transport = await createTransport({ form: 'auto', loadTls });
    expect([transport.form, transport.tlsForm, transport.fallbackReason]).toEqual([
      'fast',
      'plain',
      'no usable tls_wrap.wrap',
    ]);
    await expect(createTransport({ form: 'fast', loadTls })).rejects.toThrow('no usable tls_wrap.wrap');
  });

  const brokenTls: [string, (hooks: TlsHooks) => Partial<TlsHooks>][] = [
    [
      'do not shake hands',
      ({ wrap }) => ({
        wrap: (...args) => Object.assign(wrap(...args), { receive() {}, readStart: () => 0 }) as never,
      }),
    ],
    [
      'lose what is written',
      ({ wrap }) => ({ wrap: (...args) => Object.assign(wrap(...args), { writeBuffer: () => 0 }) as never }),
    ],
    ['give sockets that read nothing', () => ({ toSocket: () => new Socket() })],
  ];

  it.each(brokenTls)('leaves TLS to sockets when its hooks are there but %s', async (_what, breakThem) => {
    const hooks = loadTlsHooks();
    const clock = new ManualClock();
    const pending = createTransport({
      form: 'auto',
      clock,
      loadTls: () => ({ ...hooks, ...breakThem(hooks) }),
    });
    for (let i = 0; i < 40; i++) {
      await turns();
      clock.advance(500);
    }
    const transport = await pending;
    expect([transport.form, transport.tlsForm]).toEqual(['fast', 'plain']);
    expect(transport.fallbackReason).toMatch(/failed its probe on Node v\d+.*: ./);
    expect(clock.pending).toBe(0);
  });

  const brokenHooks: [string, (hooks: TcpHooks) => Partial<TcpHooks>][] = [
    ['do not accept', () => ({ takeAccepted() {} })],
    ['do not know the end of a half', () => ({ endOfFile: -1 })],
    ['count reads wrongly', (hooks) => ({ readIndex: hooks.asyncIndex })],
  ];

  it.each(brokenHooks)('falls back when the hooks are there but %s', async (_what, breakThem) => {
    const hooks = loadTcpHooks();
    const clock = new ManualClock();
    const pending = createTransport({
      form: 'auto',
      clock,
      loadHooks: () => ({ ...hooks, ...breakThem(hooks) }),
    });
    for (let i = 0; i < 20; i++) {
      await turns();
      clock.advance(1000);
    }
    const transport = await pending;
    expect(transport.form).toBe('plain');
    expect(transport.fallbackReason).toMatch(/failed its probe on Node v\d+.*: ./);
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['--pending-deprecation', 'undefined'],
    ['--no-deprecation', 'true'],
  ])('prints nothing under %s and leaves the process as it was', async (flag, noDeprecation) => {
    const { code, stdout, stderr } = await run(
      `const { createTransport } = await import('./src/balancer/proxy/transport.ts');
       const before = Error.stackTraceLimit;
       const { form } = await createTransport({ form: 'auto' });
       console.log(form, Error.stackTraceLimit === before, process.noDeprecation);
       process.exit(0);`,
      [flag],
    );
    // The bindings also have names that warn when they are read: none is.
    expect([code, stdout.trim()]).toEqual([0, `fast true ${noDeprecation}`]);
    expect(stderr).not.toMatch(/DEP0111|Deprecation/);
  });
});

describe('resetSocket', () => {
  it('ends a UNIX socket, which has no reset', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'herald-wire-'));
    cleanup.add(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'peer.sock');
    const server = createServer((socket) => resetSocket(socket));
    cleanup.add(() => server.close());
    server.listen(path);
    await once(server, 'listening');
    const client = connect(path);
    client.resume();
    await once(client, 'close');
  });
});

describe('descriptors of the fast transport', () => {
  it('are not written to after they have become another file', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'herald-wire-'));
    cleanup.add(() => rmSync(directory, { recursive: true }));
    const transport = await createTransport({ form: 'fast' });
    const port = await startPeer(cleanup, (socket) => socket.resume());
    const path = join(directory, 'foreign');
    let reused = 0;
    for (let i = 0; i < 50; i++) {
      // The lowest free number: the wire's socket gets it, and after it the file does.
      const probe = openSync(path, 'a');
      closeSync(probe);
      const heard = new Recorder();
      const wire = transport.dial({ host: '127.0.0.1', port }, heard);
      await heard.saw('connected');
      wire.send(Buffer.from('to the peer'), 0, 11);
      wire.destroy({ reset: i % 2 === 0 });
      const file = openSync(path, 'a');
      if (file === probe) reused += 1;
      wire.send(Buffer.from('to nobody'), 0, 9);
      wire.end();
      await heard.saw('closed');
      wire.send(Buffer.from('to nobody'), 0, 9);
      closeSync(file);
    }
    expect(readFileSync(path, 'utf8')).toBe('');
    expect(reused).toBeGreaterThan(25);
  });
});

/** Answers `welcome` by how many of five were, `open` when five are connected, `drop` when they are gone. */
const fiveClients = `
  const net = require('net');
  const five = (event) => {
    const sockets = [1, 2, 3, 4, 5].map(() => {
      const socket = net.connect(Number(process.argv[1]), '127.0.0.1');
      socket.text = '';
      socket.on('data', (chunk) => (socket.text += chunk));
      socket.on('error', () => {});
      return socket;
    });
    const happened = sockets.map((socket) => new Promise((resolve) => {
      socket.on(event, resolve);
      socket.on('close', resolve);
    }));
    return Promise.all(happened).then(() => sockets);
  };
  let open = [];
  process.stdin.on('data', async (command) => {
    if (String(command) === 'open') open = await five('connect');
    for (const socket of String(command) === 'drop' ? open : []) socket.destroy();
    const served = String(command) === 'welcome' ? await five('close') : [];
    console.log(served.filter((socket) => socket.text === 'welcome').length);
  });`;

describe.each(['fast', 'plain'])('the %s transport without descriptors left', (form) => {
  it('refuses clients without dying, and serves again when there are some', async () => {
    const { code, stdout, stderr } = await run(exhaustDescriptors(form), [], 'ulimit -n 80;');
    expect(stderr).toBe('');
    expect([code, stdout.trim()]).toEqual([0, 'refused: true, served again: true']);
  });
});

/** Serves five clients, takes all descriptors, lets five more come, frees them, and serves five again. */
function exhaustDescriptors(form: string): string {
  return `
    import { spawn } from 'node:child_process';
    import { openSync, closeSync } from 'node:fs';
    const { createTransport } = await import('./src/balancer/proxy/transport.ts');
    const transport = await createTransport({ form: '${form}' });
    let accepted = 0;
    const listener = await transport.listen({ host: '127.0.0.1', port: 0 }, (wire) => {
      accepted += 1;
      wire.send(Buffer.from('welcome'), 0, 7);
      wire.end();
      wire.reader = { bytes() {}, drained() {}, ended() {}, closed() {} };
      wire.resume();
    });
    const client = spawn(process.execPath, ['-e', \`${fiveClients}\`, String(listener.port)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ask = (command) => new Promise((resolve) => {
      client.stdout.once('data', (line) => resolve(Number(line)));
      client.stdin.write(command);
    });
    const first = await ask('welcome');
    const taken = [];
    try { for (;;) taken.push(openSync('/dev/null', 'r')); } catch {}
    await ask('open');
    for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
    const meanwhile = accepted - first;
    await ask('drop');
    for (const descriptor of taken) closeSync(descriptor);
    const last = await ask('welcome');
    console.log('refused: ' + (first === 5 && meanwhile === 0) + ', served again: ' + (last === 5));
    client.kill();
    process.exit(0);`;
}

async function run(
  script: string,
  flags: string[] = [],
  prelude = '',
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const node = [process.execPath, ...flags, '--import', 'tsx', '--input-type=module', '-e', script];
  const child = spawn('sh', ['-c', `${prelude} exec "$@"`, 'sh', ...node], {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  cleanup.add(() => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}
