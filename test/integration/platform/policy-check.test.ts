import { Command } from 'commander';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { checkPolicies, registerPolicyCheck } from '../../../src/cli/commands/policy-check.ts';
import { aFolder } from './folder.ts';

const config = `apiVersion: herald/v1
kind: Config
listeners: [{ bind: 127.0.0.1:0 }]
pools: { app: { policy: chat } }
`;
const policy = 'apiVersion: herald/v1\nkind: Policy\nname: chat\n';

async function check(paths: string[], options: { output?: 'text' | 'json'; configFlag?: string } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await checkPolicies(paths, {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    environment: {},
    output: options.output ?? 'text',
    configFlag: options.configFlag,
  });
  return { code, out: out.join(''), err: err.join('') };
}

describe('policy check', () => {
  it('counts what is in order', async () => {
    const folder = aFolder({ 'herald.yaml': config, 'policies/chat.yaml': policy });
    const path = join(folder, 'herald.yaml');
    // The default policy is always there.
    expect(await check([], { configFlag: path })).toEqual({
      code: 0,
      out: 'ok: 2 policies, 1 pool\n',
      err: '',
    });
    expect(await check([path])).toEqual({ code: 0, out: 'ok: 2 policies, 1 pool\n', err: '' });
    expect(await check([join(folder, 'policies/chat.yaml')])).toEqual({
      code: 0,
      out: 'ok: 1 policy, 0 pools\n',
      err: '',
    });
  });

  it('tells one problem a line on stderr, over all files, and fails', async () => {
    const folder = aFolder({ 'a.yaml': `${policy}plaec: {}\n`, 'b.yaml': `${policy}scor: {}\n` });
    const [a, b] = [join(folder, 'a.yaml'), join(folder, 'b.yaml')];
    expect(await check([a, b, join(folder, 'c.yaml')])).toEqual({
      code: 1,
      out: '',
      err: `${a}:4:1 plaec: unknown key (did you mean place?)
${b}:3:7 name: ${a} has a policy of this name, too (give each a name of its own)
${b}:4:1 scor: unknown key (did you mean score?)
${join(folder, 'c.yaml')}: does not exist (check the path)
`,
    });
  });

  it('gives the same as JSON', async () => {
    const folder = aFolder({ 'a.yaml': `${policy}plaec: {}\n` });
    const file = join(folder, 'a.yaml');
    const { code, out, err } = await check([file], { output: 'json' });
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(JSON.parse(out)).toEqual({
      ok: false,
      policies: 1,
      pools: 0,
      problems: [
        { file, line: 4, column: 1, path: 'plaec', message: 'unknown key', hint: 'did you mean place?' },
      ],
      warnings: [],
    });
  });

  it('fails when the config it would check does not exist', async () => {
    const { code, err } = await check([], { configFlag: '/nowhere/herald.yaml' });
    expect(code).toBe(1);
    expect(err).toBe('/nowhere/herald.yaml: does not exist (named by --config)\n');
  });

  it('is a command of the program, which hears the exit code', async () => {
    const folder = aFolder({ 'herald.yaml': config, 'policies/chat.yaml': policy });
    const program = new Command().exitOverride();
    const finish = vi.fn();
    registerPolicyCheck(program, finish);
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await program.parseAsync(['policy', 'check', '-c', join(folder, 'herald.yaml'), '-o', 'json'], {
      from: 'user',
    });
    const printed = write.mock.calls.map(([text]) => String(text)).join('');
    write.mockRestore();
    expect(finish).toHaveBeenCalledExactlyOnceWith(0);
    expect(JSON.parse(printed)).toMatchObject({ ok: true, policies: 2, pools: 1 });
  });
});
