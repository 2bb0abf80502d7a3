// Reads the documents and keeps them true where a program can: links, names, commands, examples.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { metricCatalogue } from '../../src/balancer/metrics/catalogue.ts';
import { createProgram } from '../../src/cli/program.ts';
import { errorCatalogue } from '../../src/core/error.ts';
import { readAgent } from '../../src/policy/agent-reading.ts';
import { readConfig } from '../../src/policy/compile-config.ts';
import { readPolicy } from '../../src/policy/compile-policy.ts';
import { formatProblem } from '../../src/policy/problem.ts';
import { ManualClock } from '../support/manual-clock.ts';

const root = join(import.meta.dirname, '../..');

const atRoot = readdirSync(root).filter((name) => name.endsWith('.md'));
const below = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name));

interface Page {
  readonly path: string;
  readonly text: string;
  /** Without fenced blocks. */
  readonly prose: string;
}

const pages = [...atRoot, ...below].map((path): Page => {
  const text = readFileSync(join(root, path), 'utf8');
  return { path, text, prose: text.replaceAll(/^( *)```[^]*?^\1```$/gm, '') };
});

interface Block {
  readonly path: string;
  readonly language: string;
  readonly body: string;
}

const blocks = pages.flatMap(({ path, text }) =>
  [...text.matchAll(/^( *)```(\w*)\n([^]*?)^\1```$/gm)].map(([, , language = '', body = '']): Block => ({
    path,
    language,
    body,
  })),
);

/** The anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsOf(prose: string): string[] {
  return [...prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
}

// `npm run bench -- --write` makes it on the machine of a release; until then a link to it is no mistake.
const madeLater = 'docs/performance.md';

/** What is wrong with a link of a page, '' when nothing is. */
function complaintAbout(page: Page, link: string): string {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? page.path : relative(root, join(root, dirname(page.path), file));
  if (target === madeLater && !existsSync(join(root, target))) return '';
  if (!existsSync(join(root, target))) return `${page.path}: ${link} leads nowhere`;
  if (anchor === undefined || !statSync(join(root, target)).isFile()) return '';
  const prose = pages.find(({ path }) => path === target)?.prose ?? '';
  return anchorsOf(prose).includes(anchor) ? '' : `${page.path}: ${link} names no heading`;
}

const program = createProgram(
  {
    stdout: { write: () => {} },
    stderr: { write: () => {} },
    env: {},
    clock: new ManualClock(),
    signal: new AbortController().signal,
  },
  () => {},
);

/** The command that the words behind `herald` mean; undefined when there is none. */
function commandOf(words: readonly string[]): Command | undefined {
  const [first = '', second = ''] = words;
  if (first === 'help' || first.startsWith('-')) return program;
  const found = program.commands.find((command) => command.name() === first);
  if (found === undefined || found.commands.length === 0) return found;
  return found.commands.find((command) => command.name() === second);
}

function hasOption(command: Command, flag: string): boolean {
  const known = [...command.options, ...program.options];
  return flag === '--help' || known.some(({ long, short }) => long === flag || short === flag);
}

/** What is wrong with the `herald` commands of one line of a shell block. */
function complaintsAboutLine(line: string): string[] {
  if (line.includes('(planned)')) return [];
  const shell = line.replace(/(^|\s)#.*$/, '');
  const [, called] = /(?:^|\s)herald\s+((?!herald\b)(?:[a-z]|--?[a-z]).*)$/.exec(shell) ?? [];
  // An image of that name is no command.
  if (called === undefined || /\bdocker (run|build)\b/.test(shell)) return [];
  const words =
    called
      .split(/[|;&>]/, 1)[0]
      ?.trim()
      .split(/\s+/) ?? [];
  const command = commandOf(words);
  if (command === undefined) return [`no such command: ${line.trim()}`];
  const flags = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.split('=', 1)[0] ?? '');
  return flags.filter((flag) => !hasOption(command, flag)).map((flag) => `no option ${flag}: ${line.trim()}`);
}

describe('links', () => {
  it('lead to files and headings that are there', () => {
    const complaints = pages.flatMap((page) =>
      [...page.prose.matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, link = '']) => link)
        .filter((link) => !/^[a-z]+:/.test(link))
        .map((link) => complaintAbout(page, link))
        .filter((complaint) => complaint !== ''),
    );
    expect(complaints).toEqual([]);
  });
});

describe('names', () => {
  const all = pages.map(({ text }) => text).join('\n');

  it('has every error code as a heading of the error page, and no unknown one anywhere', () => {
    const errors = pages.find(({ path }) => path === 'docs/reference/errors.md')?.prose ?? '';
    const codes = Object.keys(errorCatalogue);
    expect(codes.filter((code) => !anchorsOf(errors).includes(code.toLowerCase()))).toEqual([]);
    // What the environment or a family of names is called looks the same.
    const variables =
      /^HERALD_(CONFIG|AGENT_CONFIG|SOCKET|URL|BALANCERS|POOL|SCALE_(ID|POOL|ACTION|DESIRED|CURRENT|VICTIMS?|REASON)|TOKEN_FILE|NODE_[A-Z]+|AGENT_CHECK_BIND|RELAY_FORM|WORKERS|LOG_LEVEL|INTAKE_BIND|ADMIN_SOCKET|LISTENERS(_BIND)?|STATE_(PEER|URL|USERNAME|PASSWORD|PASSWORD_FILE)|TEST_.*)$/;
    const named = new Set([...all.matchAll(/\bHERALD_[A-Z_]*[A-Z]\b/g)].map(([name]) => name));
    expect([...named].filter((name) => !codes.includes(name) && !variables.test(name))).toEqual([]);
  });

  it('has every metric on the metrics page, and no unknown one in pages or alert rules', () => {
    const names = Object.keys(metricCatalogue);
    const metrics = pages.find(({ path }) => path === 'docs/reference/metrics.md')?.text ?? '';
    expect(names.filter((name) => !metrics.includes(`\`${name}\``))).toEqual([]);
    const rules = readFileSync(join(root, 'config/prometheus/alerts.yaml'), 'utf8');
    const named = new Set([...`${all}\n${rules}`.matchAll(/\bherald_[a-z_]*[a-z]\b/g)].map(([name]) => name));
    // The anchors of error codes in answers of the API look the same.
    const anchors = new Set(Object.keys(errorCatalogue).map((code) => code.toLowerCase()));
    // So does what KEDA is told for pool `chat`.
    anchors.add('herald_chat');
    expect([...named].filter((name) => !names.includes(name) && !anchors.has(name))).toEqual([]);
  });

  it('has each word of the glossary once', () => {
    const glossary = pages.find(({ path }) => path === 'docs/glossary.md')?.text ?? '';
    const words = [...glossary.matchAll(/^\| \*\*(.+?)\*\* +\|/gm)].map(([, word = '']) => word);
    expect(words.length).toBeGreaterThan(50);
    expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
  });

  it('lists every decision', () => {
    const list = pages.find(({ path }) => path === 'docs/decisions/README.md')?.text ?? '';
    const decisions = readdirSync(join(root, 'docs/decisions')).filter((name) => /^\d{4}-/.test(name));
    expect(decisions.filter((name) => !list.includes(`](${name})`))).toEqual([]);
  });
});

describe('examples', () => {
  it('call commands and options that exist, or say (planned)', () => {
    const shells = blocks.filter(({ language }) => language === 'sh');
    expect(shells.length).toBeGreaterThan(0);
    const complaints = shells.flatMap(({ path, body }) =>
      body
        .replaceAll(/\\\n/g, ' ')
        .split('\n')
        .flatMap((line) => complaintsAboutLine(line).map((complaint) => `${path}: ${complaint}`)),
    );
    expect(complaints).toEqual([]);
  });

  it('show policies and configurations that are sound', () => {
    const documents = blocks.filter(
      ({ language, body }) => language === 'yaml' && body.trimStart().startsWith('apiVersion: herald/v1'),
    );
    expect(documents.length).toBeGreaterThan(0);
    const problems = documents.flatMap(({ path, body }) => {
      if (body.includes('kind: Agent')) return readAgent(path, body, {}).problems.map(formatProblem);
      const isConfig = body.includes('kind: Config');
      return (isConfig ? readConfig(path, body, {}) : readPolicy(path, body)).problems.map(formatProblem);
    });
    expect(problems).toEqual([]);
  });
});

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly annotations: { readonly runbook: string } }[];
  }[];
}

describe('alerts', () => {
  it('each lead to a section of the runbook, and no other section does without one', () => {
    // The shape is promtool's to check; a rule without these members fails here anyway.
    const { groups } = parse(readFileSync(join(root, 'config/prometheus/alerts.yaml'), 'utf8')) as Rules;
    const rules = groups.flatMap((group) => group.rules);
    const runbook = pages.find(({ path }) => path === 'docs/runbook.md')?.prose ?? '';
    expect(rules.map(({ annotations }) => annotations.runbook)).toEqual(
      rules.map(({ alert }) => `docs/runbook.md#${alert.toLowerCase()}`),
    );
    const sections = anchorsOf(runbook).filter((anchor) => anchor.startsWith('herald'));
    expect(sections.toSorted()).toEqual(rules.map(({ alert }) => alert.toLowerCase()).toSorted());
  });
});
