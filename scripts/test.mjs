// `npm test`: every tier. What a machine lacks is installed where that may be done; else the tests that need it
// are skipped and named, and in CI that is a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const isCi = process.env.CI === 'true';

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

const lacking = tools.filter((tool) => !tool.isThere());
if (lacking.length > 0) install(lacking);
const absent = tools.filter((tool) => !tool.isThere()).map(({ name }) => name);
if (absent.length > 0 && isCi) {
  console.error(`missing and not to be installed here: ${absent.join(', ')}; in CI no test may be skipped`);
  process.exit(1);
}

const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);

const folder = mkdtempSync(join(tmpdir(), 'herald-test-'));
const resultFile = join(folder, 'result.json');
const run = spawnSync(
  join('node_modules', '.bin', 'vitest'),
  [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${resultFile}`,
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', env: { ...process.env, HERALD_TEST_LACKS: absent.join(',') } },
);
const result = existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')) : undefined;
rmSync(folder, { recursive: true, force: true });

const { numPassedTests: passed = 0, numFailedTests: failed = 0, numPendingTests: skipped = 0 } = result ?? {};
for (const name of absent) console.log(`SKIPPED: the tests that need ${name}, which this machine lacks`);
let code = run.status ?? 1;
if (isCi && skipped > 0) {
  console.error(`${skipped} tests were skipped; in CI none may be`);
  code ||= 1;
}
if (passed === 0) code ||= 1;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(code);
