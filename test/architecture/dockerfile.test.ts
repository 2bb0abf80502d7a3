// Reads the Dockerfile as text and keeps what an operator relies on true. It builds no image.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'Dockerfile'), 'utf8');

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

interface Stage {
  readonly image: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

/** The instructions of a stage: a line each, those that go on over several lines put together. */
function instructionsOf(body: string): Instruction[] {
  return body
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line))
    .map((line) => {
      const [name = '', ...rest] = line.split(' ');
      return { name, rest: rest.join(' ') };
    });
}

const stages = [...text.matchAll(/^FROM (\S+)(?: AS (\S+))?\n([^]*?)(?=^FROM |$(?![^]))/gm)].map(
  ([, image = '', name = '', body = '']): Stage => ({ image, name, instructions: instructionsOf(body) }),
);

const final = stages.at(-1);
const finalOf = (name: string) =>
  (final?.instructions ?? []).filter((each) => each.name === name).map(({ rest }) => rest);

/** What the process runs as. */
const user = finalOf('USER').at(-1) ?? '';

interface Copy {
  readonly from: string;
  readonly sources: readonly string[];
}

const copies = stages.flatMap((stage) =>
  stage.instructions
    .filter(({ name }) => name === 'COPY')
    .map(({ rest }): Copy => {
      const words = rest.split(' ');
      const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length) ?? '';
      return { from, sources: words.filter((word) => !word.startsWith('--')).slice(0, -1) };
    }),
);

describe('Dockerfile', () => {
  it('has several stages, each on a Node image with a fixed major version', () => {
    expect(stages.length).toBe(text.match(/^FROM /gm)?.length);
    expect(stages.length).toBeGreaterThan(1);
    for (const { image } of stages) expect(image).toMatch(/^node:\d+(\.\d+)*-[a-z-]+slim$/);
    expect(text).not.toContain(':latest');
  });

  it('runs as a user by number that is not root', () => {
    expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  it('asks the intake for its health with node, without a shell', () => {
    const [check = ''] = finalOf('HEALTHCHECK');
    const command: unknown = JSON.parse(check.slice(check.indexOf('CMD ') + 'CMD '.length));
    expect(command).toEqual(['node', '-e', expect.stringContaining("fetch('http://127.0.0.1:9401/healthz'")]);
  });

  it('starts herald serve without a shell in between', () => {
    expect(finalOf('ENTRYPOINT').map((rest): unknown => JSON.parse(rest))).toEqual([['herald', 'serve']]);
    expect(finalOf('CMD')).toEqual([]);
  });

  it('takes production dependencies only into the image', () => {
    const taken = copies.filter(({ sources }) => sources.some((source) => source.endsWith('/node_modules')));
    expect(taken.map(({ from }) => from)).toEqual(['dependencies']);
    const stage = stages.find(({ name }) => name === 'dependencies');
    const runs = stage?.instructions.filter(({ name }) => name === 'RUN').map(({ rest }) => rest);
    expect(runs).toEqual([expect.stringContaining('npm ci --omit=dev')]);
  });

  it('copies only from the repository or an earlier stage', () => {
    const names = stages.map(({ name }) => name).filter((name) => name !== '');
    for (const { from, sources } of copies) {
      if (from === '') expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
      else expect(names).toContain(from);
    }
  });

  it('sees in its context whatever it copies', () => {
    const ignore = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    expect(ignore).toContain('*');
    const local = copies.filter(({ from }) => from === '').flatMap(({ sources }) => sources);
    expect(local.filter((source) => !ignore.includes(`!${source}`))).toEqual([]);
  });
});
