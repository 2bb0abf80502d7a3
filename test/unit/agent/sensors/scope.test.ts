// CPU and memory from outside: of the machine, of a group, of a process with its children.
import { describe, expect, it } from 'vitest';
import { createAllowanceReader } from '../../../../src/agent/sensors/allowance.ts';
import { cgroupAt, findCgroup } from '../../../../src/agent/sensors/cgroup.ts';
import { createCgroupReader, namedGroup, ownGroup } from '../../../../src/agent/sensors/cgroup-usage.ts';
import { findByPidFile, findByPort } from '../../../../src/agent/sensors/find-process.ts';
import { createHostSensor } from '../../../../src/agent/sensors/host-cpu.ts';
import { createProcessReader } from '../../../../src/agent/sensors/process-cpu.ts';
import { createPressureSensor } from '../../../../src/agent/sensors/psi.ts';
import { createScopeSensor, type ReadScope } from '../../../../src/agent/sensors/scope.ts';
import { aMachine, aStat, aTcpTable, type Machine } from '../../../support/a-machine.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

function notes() {
  const missing = new Map<string, string>();
  const note = (signal: string, reason: string | undefined): void =>
    void (reason === undefined ? missing.delete(signal) : missing.set(signal, reason));
  return { missing, note };
}

const allowances = (root: string, cpus = 2) =>
  createAllowanceReader(new ManualClock(), findCgroup(root), () => ({ cpus, memoryBytes: 1_000_000 }));

describe('the host', () => {
  const stat = (user: number, idle: number, more = '0 0 0 0'): string =>
    `cpu  ${user} 0 0 ${idle} ${more}\ncpu0 1 1\n`;
  const meminfo = 'MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    250 kB\n';

  it('counts waiting for a disk as idle and stolen time as busy', () => {
    const machine = aMachine({ 'proc/stat': stat(100, 100), 'proc/meminfo': meminfo });
    const { missing, note } = notes();
    const sensor = createHostSensor(machine.root, note);
    // 10 more busy, 20 idle, 30 iowait, 40 steal.
    machine.write({ 'proc/stat': stat(110, 120, '30 0 0 40') });
    expect(sensor.measure(1000)).toEqual({ cpu: 0.5, memory: 0.75 });
    expect(missing.size).toBe(0);
  });

  it('leaves a span out over which a counter fell, and goes on with the next', () => {
    const machine = aMachine({ 'proc/stat': stat(100, 100), 'proc/meminfo': meminfo });
    const sensor = createHostSensor(machine.root, notes().note);
    machine.write({ 'proc/stat': stat(50, 200) });
    expect(sensor.measure(1000)).toEqual({ memory: 0.75 });
    machine.write({ 'proc/stat': stat(75, 225) });
    expect(sensor.measure(1000)).toMatchObject({ cpu: 0.5 });
  });

  it('is missing with a reason where the files are gone or hold garbage', () => {
    const machine = aMachine({ 'proc/stat': 'cpu x y\n' });
    const { missing, note } = notes();
    expect(createHostSensor(machine.root, note).measure(1000)).toEqual({});
    expect([...missing.keys()]).toEqual(['cpu', 'memory']);
  });
});

describe('a cgroup', () => {
  const v2 = (usec: number) => ({
    'proc/self/cgroup': '0::/app\n',
    'sys/fs/cgroup/app/cpu.stat': `usage_usec ${usec}\nuser_usec 1\n`,
    'sys/fs/cgroup/app/cpu.max': '50000 100000\n',
    'sys/fs/cgroup/app/memory.current': '600000\n',
    'sys/fs/cgroup/app/memory.stat': 'anon 1\ninactive_file 100000\n',
    'sys/fs/cgroup/app/memory.max': '1000000\n',
  });
  const own = (root: string): ReadScope => {
    const directories = ownGroup(findCgroup(root));
    return createCgroupReader({ name: 'own', directories, allowances: allowances(root) });
  };

  it('is its time ÷ its quota, and its memory without idle file cache ÷ its limit', () => {
    const machine = aMachine(v2(0));
    const sensor = createScopeSensor(own(machine.root), notes().note);
    machine.write(v2(250_000));
    expect(sensor.measure(1000)).toEqual({ cpu: 0.5, memory: 0.5 });
  });

  it('of version 1 is read from cpuacct, wherever the controllers are', () => {
    const usage = (ns: number) => ({
      'proc/self/cgroup': '2:cpuacct,cpu:/x\n1:memory:/x\n',
      'sys/fs/cgroup/cpuacct,cpu/x/cpuacct.usage': `${ns}\n`,
      'sys/fs/cgroup/memory/x/memory.usage_in_bytes': '300000\n',
    });
    const machine = aMachine(usage(0));
    const sensor = createScopeSensor(own(machine.root), notes().note);
    machine.write(usage(1e9));
    expect(sensor.measure(1000)).toEqual({ cpu: 0.5, memory: 0.3 });
  });

  it('that counts throttled periods is as full as it was throttled', () => {
    const stat = (usec: number, periods: number, throttled: number) => ({
      ...v2(usec),
      'sys/fs/cgroup/app/cpu.stat': `usage_usec ${usec}\nnr_periods ${periods}\nnr_throttled ${throttled}\n`,
    });
    const machine = aMachine(stat(0, 0, 0));
    const sensor = createScopeSensor(own(machine.root), notes().note);
    machine.write(stat(100, 10, 9));
    expect(sensor.measure(1000)).toMatchObject({ cpu: 0.9 });
  });

  it('by name is that group and no other, and missing when there is none', () => {
    const machine = aMachine(v2(0));
    const { missing, note } = notes();
    const named = (path: string): ReadScope =>
      createCgroupReader({
        name: path,
        directories: namedGroup(machine.root, path),
        allowances: createAllowanceReader(new ManualClock(), cgroupAt(machine.root, path), () => ({
          cpus: 8,
          memoryBytes: 1e9,
        })),
      });
    const sensor = createScopeSensor(named('/app'), note);
    machine.write(v2(500_000));
    expect(sensor.measure(1000)).toEqual({ cpu: 1, memory: 0.5 });
    expect(createScopeSensor(named('/app/gone'), note).measure(1000)).toEqual({});
    expect(missing.get('cpu')).toContain('no cgroup /app/gone');
  });

  it('leaves a span out over which its counter fell', () => {
    const machine = aMachine(v2(900_000));
    const sensor = createScopeSensor(own(machine.root), notes().note);
    machine.write(v2(100_000));
    expect(sensor.measure(1000)).not.toHaveProperty('cpu');
    machine.write(v2(350_000));
    expect(sensor.measure(1000)).toMatchObject({ cpu: 0.5 });
  });
});

/** A process 7 with a child 8. */
function aTree(own: number, child: number | undefined, reaped = 0): Record<string, string> {
  return {
    'app.pid': '7\n',
    'proc/7/stat': aStat(7, { own, reaped }),
    'proc/7/task/7/children': child === undefined ? '' : '8 ',
    ...(child === undefined ? {} : { 'proc/8/stat': aStat(8, { parent: 7, own: child }) }),
  };
}

function aProcess(machine: Machine) {
  const { missing, note } = notes();
  const { root } = machine;
  const find = findByPidFile(root, `${root}/app.pid`);
  const { read, pid } = createProcessReader({ root, find, allowancesOf: () => allowances(root, 1) });
  return { missing, pid, sensor: createScopeSensor(read, note) };
}

describe('a process', () => {
  it('is the time of itself and its children ÷ what it may use', () => {
    const machine = aMachine(aTree(0, 0));
    const { sensor } = aProcess(machine);
    machine.write(aTree(20, 30));
    expect(sensor.measure(1000)).toMatchObject({ cpu: 0.5, memory: (20 * 4096) / 1_000_000 });
  });

  it('does not count a child’s life again when the child has ended', () => {
    const machine = aMachine(aTree(0, 40));
    const { sensor } = aProcess(machine);
    // The child used 10 more before it ended, and its parent got all 50.
    machine.remove('proc/8');
    machine.write(aTree(5, undefined, 50));
    expect(sensor.measure(1000)).toMatchObject({ cpu: 0.15 });
    machine.write(aTree(15, undefined, 50));
    expect(sensor.measure(1000)).toMatchObject({ cpu: 0.1 });
  });

  it('with the same id but another start is another, which begins anew', () => {
    const machine = aMachine(aTree(50, undefined));
    const { sensor, pid } = aProcess(machine);
    machine.write({ 'proc/7/stat': aStat(7, { own: 5, start: 200 }) });
    expect(sensor.measure(1000)).not.toHaveProperty('cpu');
    machine.write({ 'proc/7/stat': aStat(7, { own: 15, start: 200 }) });
    expect(sensor.measure(1000)).toMatchObject({ cpu: 0.1 });
    expect(pid()).toBe(7);
  });

  it('that has ended is missing with a reason, and measured again when the file names another', () => {
    const machine = aMachine(aTree(0, undefined));
    const { sensor, missing } = aProcess(machine);
    machine.write({ 'proc/7/stat': aStat(7, { state: 'Z' }) });
    expect(sensor.measure(1000)).toEqual({});
    expect(missing.get('cpu')).toMatch(/no process has the id 7 .*has it ended\?/);
    machine.write({ 'app.pid': '9', 'proc/9/stat': aStat(9) });
    expect(sensor.measure(1000)).not.toHaveProperty('cpu');
    machine.write({ 'proc/9/stat': aStat(9, { own: 100 }) });
    expect(sensor.measure(1000)).toMatchObject({ cpu: 1 });
    expect(missing.size).toBe(0);
  });

  it('is missing for a pid file with nonsense, a directory, and none at all', () => {
    const reasons = ['12 13', '-1', '0', '99999999', 'x'.repeat(5000), ''].map((text) => {
      const machine = aMachine({ 'app.pid': text });
      return findByPidFile(machine.root, `${machine.root}/app.pid`)();
    });
    for (const reason of reasons)
      expect(reason).toMatchObject({ missing: expect.stringContaining('does not hold a process id') });
    const machine = aMachine({ 'd/x': '' });
    expect(findByPidFile(machine.root, `${machine.root}/d`)()).toMatchObject({
      missing: expect.stringContaining('no regular file'),
    });
    expect(findByPidFile(machine.root, `${machine.root}/gone`)()).toMatchObject({
      missing: expect.stringContaining('does not exist'),
    });
  });

  it('is not found in a stat file of garbage', () => {
    for (const text of ['', ')', '7 (a) S', aStat(7).replaceAll('100', 'x')]) {
      const machine = aMachine({ 'app.pid': '7', 'proc/7/stat': text });
      expect(findByPidFile(machine.root, `${machine.root}/app.pid`)()).toHaveProperty('missing');
    }
  });

  it('of another container has the limits of its own group, not ours', () => {
    const theirRoot = 'proc/7/root';
    const machine = aMachine({
      'sys/fs/cgroup/cpu.max': '10000 100000',
      'proc/self/cgroup': '0::/\n',
      'proc/7/cgroup': '0::/../other\n',
      [`${theirRoot}/sys/fs/cgroup/cpu.max`]: '300000 100000',
    });
    machine.link('proc/self/ns/mnt', 'mnt:[1]');
    expect(findCgroup(machine.root, '7').cpu).toEqual([]);
    machine.link('proc/7/ns/mnt', 'mnt:[2]');
    expect(allowances(machine.root, 8).allowance().cpus).toBe(0.1);
    const theirs = createAllowanceReader(new ManualClock(), findCgroup(machine.root, '7'), () => ({
      cpus: 8,
      memoryBytes: 1,
    }));
    expect(theirs.allowance().cpus).toBe(3);
  });
});

describe('a process by its port', () => {
  const listening = (inode: number) => ({
    'proc/net/tcp': aTcpTable([
      { port: 80, state: 10, inode: 1 },
      { port: 8081, state: 10, inode },
      { port: 8081, state: 1, inode: 99 },
    ]),
  });

  it('is who holds the listening socket, without the children who share it', () => {
    const machine = aMachine({
      ...listening(55),
      'proc/7/stat': aStat(7),
      'proc/8/stat': aStat(8, { parent: 7 }),
      'proc/9/stat': aStat(9),
    });
    for (const pid of [7, 8]) machine.link(`proc/${pid}/fd/3`, 'socket:[55]');
    machine.link('proc/9/fd/3', 'socket:[99]');
    expect(findByPort(machine.root, 8081, new ManualClock())()).toMatchObject([{ pid: 7 }]);
  });

  it('is missing when nobody listens, or when those who do may not be looked into', () => {
    const machine = aMachine(listening(55));
    const clock = new ManualClock();
    expect(findByPort(machine.root, 81, clock)()).toEqual({ missing: 'nobody listens at TCP port 81 here' });
    const find = findByPort(machine.root, 8081, clock);
    expect(find()).toMatchObject({ missing: expect.stringContaining('run the agent as the same user') });
  });

  it('that hands the port on is another after ten seconds, and one that ends is looked for at once', () => {
    const machine = aMachine({ ...listening(55), 'proc/7/stat': aStat(7), 'proc/9/stat': aStat(9) });
    machine.link('proc/7/fd/3', 'socket:[55]');
    machine.link('proc/9/fd/3', 'socket:[56]');
    const clock = new ManualClock();
    const find = findByPort(machine.root, 8081, clock);
    expect(find()).toMatchObject([{ pid: 7 }]);
    expect(find()).toMatchObject([{ pid: 7 }]);
    machine.write(listening(56));
    clock.advance(10_000);
    find();
    expect(find()).toMatchObject([{ pid: 9 }]);
    machine.remove('proc/9');
    machine.write(listening(55));
    expect(find()).toMatchObject([{ pid: 7 }]);
  });
});

describe('pressure', () => {
  const psi = (part: number): string => `some avg10=${part} avg60=0.00 avg300=0.00 total=1\n`;
  const place = (root: string, directories: readonly string[] = []) => ({
    root,
    directories: () => directories,
    subject: () => 'self',
  });

  it('is a part of the last ten seconds, of the group where it tells it, else of the machine', () => {
    const machine = aMachine({
      'proc/pressure/cpu': psi(50),
      'proc/pressure/io': psi(2.5),
      'sys/fs/cgroup/app/cpu.pressure': psi(10),
    });
    const told: unknown[] = [];
    const sensor = createPressureSensor(place(machine.root, [`${machine.root}/sys/fs/cgroup/app`]), (where) =>
      told.push(where),
    );
    expect(sensor.measure(1)).toEqual({ cpuPressure: 0.1, ioPressure: 0.025 });
    expect(told).toEqual([`${machine.root}/sys/fs/cgroup/app/cpu.pressure`]);
  });

  it('is absent where the kernel has none, which is told once', () => {
    const told: unknown[] = [];
    const sensor = createPressureSensor(place(aMachine({ 'proc/pressure/cpu': 'garbage' }).root), (where) =>
      told.push(where),
    );
    expect([sensor.measure(1), sensor.measure(1), told]).toEqual([{}, {}, [undefined]]);
  });
});
