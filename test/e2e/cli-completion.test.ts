// Completion in a real bash: sourced, and asked by a Tab in a terminal.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heraldPath, startProcess } from '../support/herald-command.ts';
import { startHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { hasTerminals, inTerminal } from '../support/terminal.ts';

let herald: HeraldProcess;

beforeAll(async () => {
  const nodes = ['blue', 'eu:1', 'eu:2'].map((id, i) => ({ id, address: `127.0.0.1:${i + 20}` }));
  herald = await startHerald({
    pools: {
      chat: { policy: 'chat', routes: [{ path: '/chat' }], nodes },
      games: { policy: 'default', routes: [{ path: '/games' }] },
    },
    policies: { chat: aPolicy({ health: { check: 'off' } }) },
    // What a shell finds as `herald`.
    files: { herald: `#!/bin/sh\nexec '${process.execPath}' '${heraldPath}' "$@"\n` },
  });
});

afterAll(async () => {
  await herald.stop();
});

// Bash cuts a line at spaces, = and :, and says where the cursor is.
const script = `
chmod +x herald; export PATH="$PWD:$PATH"
source <(herald completion bash)
while IFS= read -r line; do
  COMP_LINE="$line" COMP_POINT=\${#line} COMPREPLY=()
  _herald
  echo "$line|\${COMPREPLY[*]}"
done`;

async function completed(lines: readonly string[], socketPath = herald.socketPath): Promise<string[]> {
  const wanted = lines.map((line) => `${line}\n`).join('');
  const run = startProcess('bash', ['-c', `${script} <<'LINES'\n${wanted}LINES`], {
    cwd: herald.folder,
    env: { HERALD_SOCKET: socketPath },
  });
  const { code, stdout, stderr } = await run.ended();
  expect([code, stderr]).toEqual([0, '']);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(line.indexOf('|') + 1));
}

describe('in bash', () => {
  it('commands, flags, values, files and names are completed', async () => {
    const lines = [
      'herald dr',
      'herald policy ',
      'herald drain --de',
      'herald status -o ',
      'herald status --output=j',
      'herald policy show ',
      'herald rebalance g',
      'herald drain b',
      'herald ready blue ',
      'herald drain a --rate ',
      'herald policy diff pol',
      'herald --socket x completion z',
    ];
    expect(await completed(lines)).toEqual([
      'drain',
      'check show diff',
      '--deadline --detach',
      'table wide json yaml',
      'json',
      'chat default',
      'games',
      'blue',
      'blue eu:1 eu:2',
      '',
      'policies',
      'zsh',
    ]);
  });

  it('only the part behind a colon is answered, as bash wants it', async () => {
    expect(await completed(['herald drain eu', 'herald drain eu:', 'herald drain eu:2'])).toEqual([
      'eu:1 eu:2',
      '1 2',
      '2',
    ]);
  });

  it('names are missing without a word where no balancer answers', async () => {
    expect(await completed(['herald drain ', 'herald dr'], '/nowhere/h.sock')).toEqual(['', 'drain']);
  });

  it.skipIf(!hasTerminals)('a Tab does it (skipped: there is no python3 to make a terminal)', async () => {
    const command = ['bash', '--norc', '--noprofile', '-i'];
    const start = `PS1='$ '; PATH="${herald.folder}:$PATH"; chmod +x ${herald.folder}/herald`;
    const run = await inTerminal(command, {
      size: [200, 20],
      steps: [
        { until: String.raw`\$ *$`, send: `${start}; source <(herald completion bash); echo read''y\n` },
        { until: String.raw`^ready\n\$ *$`, send: 'herald drai\tbl\t' },
        { until: 'herald drain blue *$', keep: 'completed', signal: 'SIGKILL' },
      ],
      env: { HERALD_SOCKET: herald.socketPath, PS1: '$ ' },
    });
    expect([run.left, run.kept['completed']?.includes('$ herald drain blue')]).toEqual([[], true]);
  });
});
