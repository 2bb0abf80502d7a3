// The sidecar beside servers that know nothing of Herald: Python, measured from outside.
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { aHerald } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { aSidecar, anAgentFile } from '../support/sidecar-process.ts';
import { connectWs } from '../support/ws-client.ts';

const script = fileURLToPath(new URL('./fixtures/websockets-server.py', import.meta.url));
const lacks = (process.env['HERALD_TEST_LACKS'] ?? '').split(',');

/** Starts a Python server that burns this share of a core; answers its port. */
async function aPythonServer(name: string, burn: number): Promise<number> {
  const child = spawn('/usr/bin/python3', [script, name, String(burn)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    const end = once(child, 'exit');
    child.kill('SIGKILL');
    await end;
  });
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  return Number(text.toString());
}

const connections = 60;

describe("Debian's python3-websockets behind Herald", () => {
  it.skipIf(lacks.includes('python3-websockets'))(
    'gets fewer connections where its processes burn CPU (skipped: python3-websockets is not there)',
    async () => {
      const herald = await aHerald({
        policies: {
          chat: aPolicy({
            signals: { cpu: { saturation: '80%' } },
            place: { slowStart: '0s', maxShare: '100%' },
          }),
        },
      });
      const burns = { calm: 0, quiet: 0, busy: 0.7 };
      for (const [id, burn] of Object.entries(burns)) {
        const port = await aPythonServer(id, burn);
        // One CPU each, so that the same burning means the same on every machine.
        const measure = { process: { port }, cpus: 1 };
        const node = { id, port };
        aSidecar(anAgentFile({ balancers: [herald.intakeUrl], node, measure, interval: '200ms' }));
      }
      await herald.eligible(...Object.keys(burns));
      await eventually(
        () => herald.nodes(),
        ({ calm, quiet, busy }) =>
          (busy?.utilization ?? 0) > 0.4 && (calm?.utilization ?? 1) < 0.3 && (quiet?.utilization ?? 1) < 0.3,
        60_000,
      );
      const taken: Record<string, number> = { calm: 0, quiet: 0, busy: 0 };
      for (let count = 0; count < connections; count += 1) {
        const client = await connectWs(herald.publicPort);
        const id = (await client.message(1)).data.toString();
        taken[id] = (taken[id] ?? 0) + 1;
      }
      const { calm = 0, quiet = 0, busy = 0 } = taken;
      expect(calm + quiet + busy).toBe(connections);
      // Level would be 20 each; the loaded one must stay far below its equals, and they near each other.
      expect(busy).toBeLessThan(10);
      expect(Math.min(calm, quiet)).toBeGreaterThan(2 * busy);
      // What the kernel says of each server's port is what was placed there; between two looks at its table the
      // sidecar estimates, and other tests open sockets, too.
      await eventually(
        () => herald.nodes(),
        (nodes) =>
          Object.entries(taken).every(([id, count]) => {
            const reported = nodes[id]?.connections.reported ?? Number.NaN;
            return Math.abs(reported - count) <= 3 + count / 2;
          }),
        60_000,
      );
    },
  );
});
