import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ScaleWish } from '../../../src/balancer/control/ports.ts';
import { ExecDriver, type DriverOutcome } from '../../../src/balancer/scale-outputs/exec.ts';
import type { DriverConfig } from '../../../src/policy/config.ts';
import { aFastClock } from '../../support/fast-clock.ts';
import { until } from '../../support/until.ts';
import { aFolder } from '../platform/folder.ts';

const victim = (id: string) => ({ id, zone: '', connections: 3, reason: 'few connections' });

function aWish(parts: Partial<ScaleWish> = {}): ScaleWish {
  return {
    id: 'out-1',
    pool: 'chat',
    desired: 5,
    action: 'out',
    victims: [],
    reason: 'It is full.',
    ...parts,
  };
}

/** A driver whose time passes ten times as fast. */
function aDriver(
  command: DriverConfig['command'],
  parts: Partial<DriverConfig> = {},
  environment = process.env,
) {
  const counts: DriverOutcome[] = [];
  const config = {
    name: 'fleet',
    kind: 'exec',
    pools: 'all',
    timeoutMs: 60_000,
    env: {},
    command,
    ...parts,
  } as const;
  const driver = new ExecDriver(config, {
    clock: aFastClock(10),
    environment,
    currentNodes: () => 3,
    count: (outcome) => counts.push(outcome),
  });
  onTestFinished(() => driver.stop());
  return { driver, counts };
}

const node = (script: string, ...args: string[]): DriverConfig['command'] => [
  process.execPath,
  '-e',
  script.replaceAll(/\{(\w+)\}/g, '{{$1}}'),
  ...args,
];

/** Writes what it was given into the file that its first argument names. */
const tellAll = `
  const { writeFileSync, readFileSync } = require('node:fs');
  const stdin = readFileSync(0, 'utf8');
  const [, file, ...args] = process.argv;
  writeFileSync(file, JSON.stringify({ args, stdin, env: process.env }));
`;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const untilFile = async (file: string): Promise<string> => {
  await until(
    () => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'),
    () => `${file} was not written`,
  );
  return readFileSync(file, 'utf8').trim();
};

describe('the exec driver', () => {
  it('gives the command its arguments, variables and the wish on standard input', async () => {
    const file = join(aFolder(), 'told.json');
    const placed = [
      '{action}',
      '--to={desired}',
      '{current}',
      'x{victims}',
      'v{victim}',
      '{id} {pool}',
      '{reason}',
    ];
    const { driver, counts } = aDriver(node(tellAll, file, ...placed), { env: { ZONE: 'eu-1' } });
    const wish = aWish({ action: 'in', desired: 2, victims: [victim('a'), victim('b')], id: 'in-7' });
    await driver.apply(wish);
    const told = JSON.parse(readFileSync(file, 'utf8'));
    expect(told.args).toEqual(['in', '--to=2', '3', 'xa,b', 'va', 'in-7 chat', 'It is full.']);
    expect(JSON.parse(told.stdin)).toEqual(wish);
    expect(told.env).toMatchObject({
      PATH: process.env['PATH'],
      ZONE: 'eu-1',
      HERALD_SCALE_ID: 'in-7',
      HERALD_SCALE_POOL: 'chat',
      HERALD_SCALE_ACTION: 'in',
      HERALD_SCALE_DESIRED: '2',
      HERALD_SCALE_CURRENT: '3',
      HERALD_SCALE_VICTIM: 'a',
      HERALD_SCALE_VICTIMS: 'a,b',
      HERALD_SCALE_REASON: 'It is full.',
    });
    expect(counts).toEqual(['done']);
  });

  it('hands arguments over as they are: no shell reads them', async () => {
    const folder = aFolder();
    const file = join(folder, 'told.json');
    const nasty = `$(touch ${folder}/owned); \`touch ${folder}/owned\` "' * ~ {reason}`;
    const { driver } = aDriver(node(tellAll, file, nasty));
    const reason = `; touch ${folder}/owned & {pool}`;
    await driver.apply(aWish({ reason }));
    expect(JSON.parse(readFileSync(file, 'utf8')).args).toEqual([nasty.replace('{reason}', reason)]);
    expect(existsSync(join(folder, 'owned'))).toBe(false);
  });

  it('fails with the exit code and the last words of a command that fails', async () => {
    const script = `console.log('x'.repeat(100_000)); console.error('quota \\u001b[31mexceeded'); process.exitCode = 3;`;
    const { driver, counts } = aDriver(node(script));
    const failure = await driver.apply(aWish()).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'HERALD_DRIVER_FAILED',
      details: { driver: 'fleet', pool: 'chat', wish: 'out-1' },
    });
    expect(String(failure)).toMatch(
      /driver 'fleet' failed for pool 'chat': exit code 3; it has said: x+ quota \[31mexceeded$/,
    );
    expect(String(failure).length).toBeLessThan(500);
    expect(counts).toEqual(['failed']);
  });

  it('takes a flood of output in, and a command that reads nothing', async () => {
    const flood = `const line = 'y'.repeat(65_536); for (let i = 0; i < 200; i++) require('node:fs').writeSync(1, line);`;
    const victims = Array.from({ length: 3000 }, (_, i) => victim(`node-${i}`));
    const { driver, counts } = aDriver(node(flood));
    await driver.apply(aWish({ action: 'in', victims }));
    expect(counts).toEqual(['done']);
  });

  it('ends a command that takes too long, with everything that it started', async () => {
    const folder = aFolder();
    const pids = join(folder, 'pids');
    const script = `
      const { spawn } = require('node:child_process');
      const child = spawn('sleep', ['1000'], { stdio: 'inherit' });
      require('node:fs').writeFileSync(${JSON.stringify(pids)}, process.pid + ' ' + child.pid + '\\n');
      console.log('waiting for the cloud');
      setInterval(() => {}, 1000);
    `;
    const { driver, counts } = aDriver(node(script), { timeoutMs: 20_000 });
    await expect(driver.apply(aWish())).rejects.toThrow(
      /still running after 20 s, and ended; it has said: waiting for the cloud/,
    );
    const [own, child] = (await untilFile(pids)).split(' ').map(Number);
    await until(
      () => !isAlive(own ?? 0) && !isAlive(child ?? 0),
      () => 'something of it still runs',
    );
    expect(counts).toEqual(['timeout']);
  });

  it('lets what a shell has started end in order, although the shell is gone at once', async () => {
    const folder = aFolder();
    const file = join(folder, 'cleaned');
    const child = `
      process.on('SIGTERM', () => setTimeout(() => {
        require('node:fs').writeFileSync(${JSON.stringify(file)}, 'yes\\n');
        process.exit(0);
      }, 50));
      setInterval(() => {}, 1000);
    `;
    const script = aFolder({ 'run.sh': `#!/bin/sh\n"$@" > /dev/null 2>&1\n` });
    chmodSync(join(script, 'run.sh'), 0o755);
    const [program, ...args] = node(child);
    const { driver } = aDriver([join(script, 'run.sh'), program, ...args], { timeoutMs: 10_000 });
    await expect(driver.apply(aWish())).rejects.toThrow(/still running after 10 s, and ended/);
    expect(await untilFile(file)).toBe('yes');
  });

  it('kills a command that does not want to end', async () => {
    const file = join(aFolder(), 'pid');
    const script = `
      process.on('SIGTERM', () => console.log('no'));
      require('node:fs').writeFileSync(${JSON.stringify(file)}, process.pid + '\\n');
      setInterval(() => {}, 1000);
    `;
    const { driver } = aDriver(node(script), { timeoutMs: 10_000 });
    await expect(driver.apply(aWish())).rejects.toThrow(
      /still running after 10 s, and ended; it has said: no/,
    );
    expect(isAlive(Number(await untilFile(file)))).toBe(false);
  });

  it('does not wait for what a command has left running in the background', async () => {
    const script = `require('node:child_process').spawn('sleep', ['3'], { stdio: 'inherit', detached: true }).unref();`;
    const { driver, counts } = aDriver(node(script));
    await driver.apply(aWish());
    expect(counts).toEqual(['done']);
  });

  it('says who ended a command that was killed by somebody else', async () => {
    const { driver } = aDriver(node(`process.kill(process.pid, 'SIGKILL')`));
    await expect(driver.apply(aWish())).rejects.toThrow(/ended by SIGKILL; it has said nothing/);
  });

  it('runs one command at a time for a pool, and several pools at once', async () => {
    const file = join(aFolder(), 'go');
    const script = `const wait = () => require('node:fs').existsSync(${JSON.stringify(file)}) || setTimeout(wait, 5); wait();`;
    const { driver, counts } = aDriver(node(script));
    const first = driver.apply(aWish());
    const other = driver.apply(aWish({ pool: 'games' }));
    await expect(driver.apply(aWish({ id: 'out-2' }))).rejects.toThrow(/an earlier wish is still running/);
    expect(driver.isRunning).toBe(true);
    writeFileSync(file, '');
    await Promise.all([first, other]);
    expect(driver.isRunning).toBe(false);
    await driver.apply(aWish({ id: 'out-2' }));
    expect(counts).toEqual(['done', 'done', 'done']);
  });

  it('says what is in the way of a command that cannot be run', async () => {
    const folder = aFolder({
      plain: 'exit 0\n',
      lost: '#!/no/such/interpreter\n',
    });
    chmodSync(join(folder, 'lost'), 0o755);
    const failureOf = async (program: string, parts: Partial<ScaleWish> = {}, ...args: string[]) =>
      aDriver([program, ...args])
        .driver.apply(aWish(parts))
        .then(
          () => 'done',
          (error: unknown) => String(error),
        );
    expect(await failureOf(join(folder, 'missing'))).toMatch(
      /missing cannot be run: there is no such program/,
    );
    expect(await failureOf('no-such-program-anywhere')).toMatch(/cannot be run: there is no such program/);
    expect(await failureOf(join(folder, 'plain'))).toMatch(/it may not be executed/);
    expect(await failureOf(join(folder, 'lost'))).toMatch(/no such interpreter/);
    const victims = Array.from({ length: 5000 }, (_, i) => victim(`a-rather-long-name-of-a-node-${i}`));
    expect(await failureOf('/bin/true', { action: 'in', victims }, '--stop={victims}')).toMatch(
      /too long together/,
    );
    expect(await failureOf('/bin/true', { action: 'in', victims })).toBe('done');
  });

  it('lets no id of a node become an option of the command', async () => {
    const file = join(aFolder(), 'told.json');
    const wish = aWish({ action: 'in', victims: [victim('--force')] });
    const { driver, counts } = aDriver(node(tellAll, file, '{victim}'));
    await expect(driver.apply(wish)).rejects.toThrow(
      /\{victim\} would become --force, which reads like an option/,
    );
    expect(existsSync(file)).toBe(false);
    expect(counts).toEqual(['failed']);
    await aDriver(node(tellAll, file, '--', '--node={victim}')).driver.apply(wish);
    expect(JSON.parse(readFileSync(file, 'utf8')).args).toEqual(['--', '--node=--force']);
  });

  it('ends what runs when Herald stops', async () => {
    const file = join(aFolder(), 'pid');
    const script = `
      require('node:fs').writeFileSync(${JSON.stringify(file)}, process.pid + '\\n');
      setInterval(() => {}, 1000);
    `;
    const { driver } = aDriver(node(script));
    const applied = driver.apply(aWish()).catch((error: unknown) => String(error));
    const pid = Number(await untilFile(file));
    await driver.stop();
    expect(await applied).toMatch(/ended, since Herald stops/);
    expect(isAlive(pid)).toBe(false);
    await driver.stop();
  });
});
