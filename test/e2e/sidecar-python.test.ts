// The sidecar beside servers that know nothing of Herald: Python, measured from outside.
import { fileURLToPath } from 'node:url';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { aHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { aSidecar, anAgentFile, type SidecarProcess } from '../support/sidecar-process.ts';
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

interface BesideServer {
  readonly id: string;
  readonly file: (cpus: number) => object;
  readonly sidecar: SidecarProcess;
}

/** The file of a sidecar beside a server that may use `cpus`: the same for all, so that burning means the same. */
const agentFile = (balancer: string, id: string, port: number) => (cpus: number) =>
  anAgentFile({
    balancers: [balancer],
    node: { id, port },
    measure: { process: { port }, cpus },
    interval: '200ms',
  });

const connections = 36;
const together = 4;

/** Waits until the balancer has taken so many reports more. */
async function newReports({ metrics }: HeraldProcess, count: number): Promise<void> {
  const taken = async (): Promise<number> => {
    const series = [...(await metrics())].filter(([name]) => name.startsWith('herald_reports_total'));
    return series.reduce((sum, [, value]) => sum + value, 0);
  };
  const before = await taken();
  await eventually(taken, (now) => now >= before + count);
}

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
      const nodes: BesideServer[] = [];
      for (const [id, burn] of Object.entries({ calm: 0, quiet: 0, busy: 0.7 })) {
        const file = agentFile(herald.intakeUrl, id, await aPythonServer(id, burn));
        nodes.push({ id, file, sidecar: aSidecar(file(1)) });
      }
      // On a loaded machine it takes some seconds until a sidecar has read its file.
      await eventually(
        () => herald.nodes(),
        ({ calm, quiet, busy }) =>
          [calm, quiet, busy].every((node) => node?.ineligible === null) &&
          (busy?.utilization ?? 0) > 0.5 &&
          Math.max(calm?.utilization ?? 1, quiet?.utilization ?? 1) < 0.25,
        60_000,
      );
      const taken: Record<string, number> = { calm: 0, quiet: 0, busy: 0 };
      for (let count = 0; count < connections; count += 1) {
        // All in one instant, their greetings look like a rate of hundreds of messages a second for as long as
        // nobody has reported what those cost: a few at a time, each time until everybody has.
        if (count % together === 0) await newReports(herald, nodes.length);
        const client = await connectWs(herald.publicPort);
        const id = (await client.message(1)).data.toString();
        taken[id] = (taken[id] ?? 0) + 1;
      }
      const { calm = 0, quiet = 0, busy = 0 } = taken;
      expect(calm + quiet + busy).toBe(connections);
      // Level would be 12 each; the loaded one must stay far below its equals, and they near each other.
      expect(busy).toBeLessThan(6);
      expect(Math.min(calm, quiet)).toBeGreaterThan(2 * busy);
      // What the kernel says of each server's port is what was placed there. The sidecars have looked at its table
      // before that, and may rest for half a minute; a reload that changes what is measured looks anew. From then on
      // they estimate, and others on this machine open sockets, too.
      for (const { file, sidecar } of nodes) {
        sidecar.write(file(0.99));
        sidecar.signal('SIGHUP');
      }
      await Promise.all(nodes.map(({ sidecar }) => sidecar.logged({ msg: 'configuration reloaded' })));
      await eventually(
        () => herald.nodes(),
        (seen) =>
          Object.entries(taken).every(([id, count]) => {
            const reported = seen[id]?.connections.reported ?? Number.NaN;
            return Math.abs(reported - count) <= 3 + count / 2;
          }),
        60_000,
      );
    },
  );
});
