// Checks across the keys of `admin`: what makes an API that changes things safe to reach over TCP.
import { formatAddress } from './address.ts';
import { isLoopback } from './cidr.ts';
import type { ConfigDocument } from './config-schema.ts';
import type { Path, Problem } from './problem.ts';
import { problemAt } from './schema-problems.ts';
import type { Source } from './yaml-document.ts';

type AdminSection = ConfigDocument['admin'];

// What audit events call those who are no tokens.
const reservedNames = new Set(['local', 'auto']);

/** Everything that is wrong within `admin`. */
export function checkAdmin(source: Source, admin: AdminSection | undefined): Problem[] {
  if (admin === undefined) return [];
  const problem = (path: Path, message: string, hint: string) =>
    problemAt(source, ['admin', ...path], message, hint);
  return [
    ...checkTcp(admin, problem),
    ...admin.tokens.flatMap(({ name, role }, index) => [
      ...(role === 'report'
        ? [
            problem(
              ['tokens', index, 'role'],
              'report means nothing here',
              'write read or operate, or move it to intake.tokens',
            ),
          ]
        : []),
      ...(reservedNames.has(name)
        ? [
            problem(
              ['tokens', index, 'name'],
              `${name} is what audit events call Herald's own`,
              'choose another name',
            ),
          ]
        : []),
    ]),
  ];
}

function checkTcp(
  { bind, tls, tokens, hosts }: AdminSection,
  problem: (path: Path, message: string, hint: string) => Problem,
): Problem[] {
  if (bind === undefined) {
    const idle = { tokens: tokens.length > 0, tls: tls !== undefined, hosts: hosts.length > 0 };
    const unused = Object.entries(idle).flatMap(([key, isThere]) => (isThere ? [key] : []));
    return unused.map((key) =>
      problem([key], 'is for TCP, and there is no bind', 'write bind, or remove it'),
    );
  }
  const problems: Problem[] = [];
  if (tokens.length === 0)
    problems.push(problem(['bind'], 'needs tokens: anybody could change everything', 'write admin.tokens'));
  if (tls === undefined && !isLoopback(bind.host) && bind.host !== 'localhost') {
    const message = `${formatAddress(bind)} needs tls: tokens would cross the network in the clear`;
    problems.push(problem(['bind'], message, 'write admin.tls, or bind to 127.0.0.1 behind a TLS proxy'));
  }
  return problems;
}
