// `npm test`: every tier but the long one (`npm run test:long`). What a machine lacks is installed where that may be done; else the tests that need it
// are skipped and named, and in CI that is a failure.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

const isCi = process.env.CI === 'true';
const processors = availableParallelism();

/** What some tests need beside Node: how to see it, and the Debian package that brings it. */
const tools = [
  {
    name: 'python3-websockets',
    package: 'python3-websockets',
    isThere: () => succeeds('/usr/bin/python3', ['-c', 'import websockets']),
  },
  { name: 'haproxy', package: 'haproxy', isThere: () => succeeds('haproxy', ['-v']) },
  {
    name: 'redis-server',
    package: 'redis-server',
    isThere: () => succeeds('redis-server', ['--version']),
  },
  // It has no option that ends well without a configuration.
  { name: 'mosquitto', package: 'mosquitto', isThere: () => existsSync('/usr/sbin/mosquitto') },
  {
    name: 'python3-autobahn',
    isLong: true,
    package: 'python3-autobahn',
    isThere: () => succeeds('/usr/bin/python3', ['-c', 'import autobahn.asyncio.websocket']),
  },
  {
    name: 'chromium-headless-shell',
    isLong: true,
    package: 'chromium-headless-shell',
    isThere: () => existsSync('/usr/bin/chromium-headless-shell'),
  },
  { name: 'tsung', isLong: true, package: 'tsung', isThere: () => succeeds('tsung', ['-v']) },
];

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function install(missing) {
  if (process.getuid?.() !== 0 || !succeeds('apt-get', ['--version'])) return;
  const packages = missing.map((tool) => tool.package);
  console.log(`installing ${packages.join(', ')}`);
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  spawnSync('apt-get', ['update', '-qq'], options);
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], options);
}

// What only the long tests need is not asked of whoever runs the others.
const needed = tools.filter(({ isLong = false }) => !isLong || process.argv.includes('long'));
const lacking = needed.filter((tool) => !tool.isThere());
if (lacking.length > 0) install(lacking);
const absent = needed.filter((tool) => !tool.isThere()).map(({ name }) => name);
if (absent.length > 0 && isCi) {
  console.error(`missing and not to be installed here: ${absent.join(', ')}; in CI no test may be skipped`);
  process.exit(1);
}

const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);

const folder = mkdtempSync(join(tmpdir(), 'herald-test-'));

// Whole processes wait for most of their time: beside them other ones, and the tests of sockets, cost nobody anything. Where the caller
// chooses what to run it is one run.
const chosen = process.argv.slice(2);
const stages =
  chosen.length > 0
    ? [[{ name: 'chosen', args: chosen }]]
    : [
        // They only compute: left to itself the runner keeps a processor free that nobody else wants here.
        [
          {
            name: 'unit',
            args: [...projects('unit', 'contract', 'architecture'), `--maxWorkers=${processors}`],
          },
        ],
        [
          // Those that run the demo share its directory: they are in one part, one after the other.
          { name: 'e2e-commands', args: [...projects('e2e'), ...e2eFiles(isOfCommands)] },
          { name: 'e2e-fleets', args: [...projects('e2e'), ...e2eFiles((file) => !isOfCommands(file))] },
          { name: 'integration', args: projects('integration', 'integration-plain') },
        ],
      ];

function isOfCommands(file) {
  return /^(cli|demo|serve|sidecar)/.test(file);
}

function e2eFiles(isWanted) {
  return readdirSync('test/e2e')
    .filter((file) => file.endsWith('.test.ts') && isWanted(file))
    .map((file) => join('test/e2e', file));
}

function projects(...names) {
  return names.flatMap((name) => ['--project', name]);
}

/** Runs one part. The first of a stage shows itself as it goes, the others when they are over. */
async function runPart({ name, args }, isShown) {
  const resultFile = join(folder, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`];
  const child = spawn(join('node_modules', '.bin', 'vitest'), ['run', ...reporters, ...args], {
    stdio: isShown ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HERALD_TEST_LACKS: absent.join(',') },
  });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(chunk));
  const status = await new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', (code) => resolve(code ?? 1));
  });
  const result = existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')) : undefined;
  return { name, status, result, output: Buffer.concat(output) };
}

const parts = [];
for (const stage of stages) {
  const ended = await Promise.all(stage.map((part, index) => runPart(part, index === 0)));
  for (const { output } of ended) process.stdout.write(output);
  parts.push(...ended);
}
rmSync(folder, { recursive: true, force: true });

const sumOf = (key) => parts.reduce((sum, { result }) => sum + (result?.[key] ?? 0), 0);
const passed = sumOf('numPassedTests');
const failed = sumOf('numFailedTests');
const skipped = sumOf('numPendingTests');
for (const name of absent) console.log(`SKIPPED: the tests that need ${name}, which this machine lacks`);
let code = parts.find(({ status }) => status !== 0)?.status ?? 0;
if (isCi && skipped > 0) {
  console.error(`${skipped} tests were skipped; in CI none may be`);
  code ||= 1;
}
if (passed === 0 || parts.some(({ result }) => result === undefined)) code ||= 1;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(code);
