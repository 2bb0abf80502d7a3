// `npm run load:smoke`: each script of k6/ for a short while, against the built balancer and nodes on loopback. Ends with
// the first exit code of k6 that is not 0; where there is no k6 it says how to get one, and ends with 1.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess } from '../support/herald-command.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { startHerald, type HeraldProcess } from '../support/herald-process.ts';
import { startFleet } from './fleet.ts';

const module = 'go.k6.io/k6';
const version = 'v1.8.1';
const cache = join('bench-results', 'k6');
const token = 'load-smoke-0123456789';
const runWithinMs = 300_000;

/** Each script with what makes it short; its thresholds are loose, since any machine runs this. */
const scripts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'connect-storm': { CLIENTS: '200', WITHIN: '60s', HANDSHAKE_P99_MS: '20000' },
  soak: { CLIENTS: '50', DURATION: '15s', STAY_S: '8', ROUND_TRIP_P99_MS: '10000' },
  'drain-under-load': {
    CLIENTS: '80',
    DURATION_S: '25',
    DRAIN_AT_S: '5',
    DEADLINE_S: '10',
    AWAY_P95_MS: '20000',
  },
};

/** The k6 to run: of PATH, built before, or built now where Go is there; undefined without any. */
function findK6(): string | undefined {
  const built = join(process.cwd(), cache, 'k6');
  for (const candidate of ['k6', built]) if (isThere(candidate, ['version'])) return candidate;
  if (!isThere('go', ['version'])) return undefined;
  process.stdout.write(`building k6 ${version} (minutes, once) into ${cache}\n`);
  const env = { ...process.env, GOBIN: join(process.cwd(), cache) };
  const { status } = spawnSync('go', ['install', `${module}@${version}`], { stdio: 'inherit', env });
  return status === 0 ? built : undefined;
}

function isThere(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0;
}

async function main(): Promise<number> {
  const k6 = findK6();
  if (k6 === undefined) {
    process.stderr.write(
      `k6 is missing: put it into PATH (https://grafana.com/docs/k6/latest/set-up/install-k6/), or install Go, with which this command builds it\n`,
    );
    return 1;
  }
  const herald = await startHerald({
    policies: {
      chat: aPolicy({ place: { slowStart: '0s', connectRate: '5000/s' }, drain: { rate: 'auto' } }),
    },
    config: {
      admin: {
        socket: './h.sock',
        bind: '127.0.0.1:0',
        tokens: [{ name: 'load', role: 'operate', tokenFile: './token' }],
      },
    },
    files: { token },
  });
  const fleet = await startFleet(4, herald.intakeUrl);
  try {
    await herald.eligible(...fleet.ids);
    for (const [script, settings] of Object.entries(scripts)) {
      const code = await runScript(k6, script, { ...settings, ...surroundings(herald) });
      if (code !== 0) return code;
    }
    return 0;
  } finally {
    await fleet.end();
    await herald.stop();
    rmSync(herald.folder, { recursive: true, force: true });
  }
}

function surroundings({ publicPort, logs }: HeraldProcess): Record<string, string> {
  const port = logs.find(({ msg, listener }) => msg === 'listening' && listener === 'admin')?.['port'];
  return {
    TARGET: `ws://127.0.0.1:${publicPort}`,
    ADMIN_URL: `http://127.0.0.1:${port}`,
    ADMIN_TOKEN: token,
  };
}

async function runScript(
  k6: string,
  script: string,
  settings: Readonly<Record<string, string>>,
): Promise<number> {
  process.stdout.write(`\n== k6/${script}.ts\n`);
  const flags = Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const offline = ['--no-usage-report', '--quiet', '--no-color', '--address', '127.0.0.1:0'];
  const run = startProcess(k6, ['run', ...offline, ...flags, `k6/${script}.ts`], {
    onStdout: (text) => void process.stdout.write(text),
  });
  const { code, stderr } = await run.ended(runWithinMs);
  process.stderr.write(stderr);
  return code ?? 1;
}

for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130));
process.exitCode = await main();
process.exit();
