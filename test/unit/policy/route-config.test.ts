import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/policy/compile-config.ts';
import { formatProblem } from '../../../src/policy/problem.ts';
import { normalizePath } from '../../../src/policy/route-path.ts';

const head = 'apiVersion: herald/v1\nkind: Config\nlisteners: [{ bind: 127.0.0.1:8080 }]\n';

function reading(pools: string) {
  const { sections, problems, warnings } = readConfig('h.yaml', `${head}pools:\n${pools}`, {});
  return { sections, problems: problems.map(formatProblem), warnings };
}

/** What the host or path of a route becomes, or the problem. */
function hostOf(written: string): string | undefined {
  const { sections, problems } = reading(`  a: { routes: [{ host: "${written}" }] }\n`);
  return problems[0] ?? sections.pools?.['a']?.routes[0]?.host;
}

function pathOf(written: string): string | undefined {
  const { sections, problems } = reading(`  a: { routes: [{ path: "${written}" }] }\n`);
  return problems[0] ?? sections.pools?.['a']?.routes[0]?.path;
}

describe('the host of a route', () => {
  it.each([
    ['Chat.Example.COM', 'chat.example.com'],
    ['chat.example.com.', 'chat.example.com'],
    ['*.Example.com', '*.example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['*.Bücher.example', '*.xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['[::1]', '[0:0:0:0:0:0:0:1]'],
    ['10.0.0.1', '10.0.0.1'],
    ['*', '*'],
  ])('%s is compared as %s', (written, host) => {
    expect(hostOf(written)).toBe(host);
  });

  it.each([
    'chat.*',
    '*.*.example.com',
    '-a.example',
    'a..b',
    'a b',
    'http://a',
    'a/b',
    'ü/x',
    '*.[::1]',
    '',
    '.',
  ])('"%s" is none', (written) => {
    expect(hostOf(written)).toMatch(/^h\.yaml:5:25 pools\.a\.routes\[0\]\.host: .* is not a host \(/);
  });
});

describe('the path of a route', () => {
  it.each([
    ['/chat', '/chat'],
    ['/%63hat/%c3%bc', '/chat/%C3%BC'],
    ['/a.b/..c', '/a.b/..c'],
  ])('%s is compared as %s', (written, path) => {
    expect(pathOf(written)).toBe(path);
  });

  it.each([
    ['chat', '"chat" is not a path (it starts with / and has no spaces, such as /chat)'],
    ['/chat?x=1', '"/chat?x=1" has a query or a fragment (routes look at the path alone)'],
    ['/chat/*', '"/chat/*" has a wildcard (write /chat: it matches what lies below, too)'],
    ['/*', '"/*" has a wildcard (write /: it matches what lies below, too)'],
    ['/a/../b', '"/a/../b" has . or .. segments (write /b)'],
    ['/a/./b', '"/a/./b" has . or .. segments (write /a/b)'],
    ['/a/%2e', '"/a/%2e" has . or .. segments (write /a/)'],
  ])('%s is wrong', (written, problem) => {
    expect(pathOf(written)).toBe(`h.yaml:5:25 pools.a.routes[0].path: ${problem}`);
  });
});

describe('routes of all pools', () => {
  it('are told where two are the same, in whatever spelling', () => {
    const { problems } = reading(
      '  a: { routes: [{ host: BÜCHER.example., path: /%63 }] }\n  b:\n    routes:\n      - { host: xn--bcher-kva.example, path: /c }\n',
    );
    expect(problems).toEqual([
      'h.yaml:8:9 pools.b.routes[0]: the route xn--bcher-kva.example/c is here twice, see pool a at h.yaml:5 (requests can go to one pool only: choose another host or path)',
    ]);
  });

  it('may have a prefix and an exact path of one name', () => {
    expect(
      reading('  a: { routes: [{ path: /x }] }\n  b: { routes: [{ path: /x, match: exact }] }\n').problems,
    ).toEqual([]);
  });

  it('say so where a pool has none and another takes every request', () => {
    expect(reading('  a: {}\n  b: {}\n').problems).toEqual([
      'h.yaml:6:6 pools.b.routes[0]: the route */ is here twice, see pool a at h.yaml:5 (requests can go to one pool only: choose another host or path; a pool without routes takes every request)',
    ]);
  });

  it('warn of one that nothing reaches', () => {
    const pools =
      '  a: { routes: [{ path: /x }] }\n  b: { routes: [{ path: /x/ }, { path: /x, match: exact }] }\n';
    const { problems, warnings } = reading(pools);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      'h.yaml:5:17 pools.a.routes[0]: nothing reaches the route */x: others take /x and all below it (remove it)',
    ]);
    expect(reading('  a: { routes: [{ path: /x }, { path: /x/ }] }\n').warnings).toEqual([]);
  });
});

describe('normalizePath', () => {
  it('changes nothing the second time, and keeps paths that are plain', () => {
    const part = fc.constantFrom('/', '.', '..', '%2e', '%2F', '%41', '%c3', 'a', ';x', '//');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const once = normalizePath(`/${parts.join('')}`);
        expect(normalizePath(once)).toBe(once);
        expect(once).toMatch(/^\//);
        expect(once.split('/')).not.toContain('..');
      }),
    );
    for (const plain of ['/', '/a/b', '//a', '/a;b=c', '/a.b']) expect(normalizePath(plain)).toBe(plain);
  });
});
