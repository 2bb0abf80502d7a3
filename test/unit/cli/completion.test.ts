import { describe, expect, it } from 'vitest';
import { commandEntries, steps } from '../../../src/cli/completion/command-tree.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { runHerald } from '../../support/cli-run.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const nowhere = { write: () => {} };
const program = createProgram(
  {
    stdout: nowhere,
    stderr: nowhere,
    env: {},
    clock: new ManualClock(),
    signal: new AbortController().signal,
  },
  () => {},
);
const entries = commandEntries(program);
const entryOf = (path: string) => entries.find((entry) => entry.path === path);
const valueOf = (path: string, flag: string) =>
  entryOf(path)?.options.find(({ flags }) => flags.includes(flag))?.value;

describe('what can be completed', () => {
  it('is every command that help shows, and none that it hides', () => {
    const paths = entries.map(({ path }) => path);
    for (const path of ['', 'drain', 'top', 'policy', 'policy diff', 'completion'])
      expect(paths).toContain(path);
    expect(paths).not.toContain('__names');
    expect(steps(entries)).toContainEqual({ from: 'policy', word: 'diff', to: 'policy diff' });
  });

  it('are values by what stands for them in the help', () => {
    expect(entryOf('drain')?.argument).toEqual({ kind: 'names', of: 'nodes' });
    expect(entryOf('rebalance')?.argument).toEqual({ kind: 'names', of: 'pools' });
    expect(entryOf('scale')?.argument).toEqual({ kind: 'names', of: 'pools' });
    expect(entryOf('operations')?.argument).toEqual({ kind: 'names', of: 'operations' });
    expect(entryOf('policy show')?.argument).toEqual({ kind: 'names', of: 'policies' });
    expect(entryOf('policy diff')?.argument).toEqual({ kind: 'files' });
    expect(entryOf('completion')?.argument).toEqual({ kind: 'words', words: ['bash', 'zsh', 'fish'] });
    expect(valueOf('drain', '--output')).toEqual({ kind: 'words', words: ['table', 'json', 'yaml'] });
    expect(valueOf('drain', '-s')).toEqual({ kind: 'files' });
    expect(valueOf('events', '--pool')).toEqual({ kind: 'names', of: 'pools' });
    expect(valueOf('events', '--since')).toEqual({ kind: 'nothing' });
    expect(valueOf('drain', '--force')).toBeUndefined();
  });
});

describe('scripts', () => {
  it.each(['bash', 'zsh', 'fish'])('of %s name every command and flag', async (shell) => {
    const { code, stdout, stderr } = await runHerald(['completion', shell]);
    expect([code, stderr]).toEqual([0, '']);
    for (const { below, options } of entries) {
      for (const { name } of below) expect(stdout).toContain(name);
      for (const flag of options.flatMap(({ flags }) => flags))
        if (flag.startsWith('--')) expect(stdout).toContain(shell === 'fish' ? `-l ${flag.slice(2)}` : flag);
    }
  });

  it('of another shell there are none', async () => {
    const { code, stderr } = await runHerald(['completion', 'tcsh']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/bash, zsh, fish/);
  });

  it('get no names and no complaint where no balancer answers', async () => {
    const run = await runHerald(['__names', 'nodes', '-s', '/nowhere/h.sock']);
    expect(run).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});
