// Makes the OpenAPI 3.1 document of the route table. Its schemas are JSON Schema 2020-12, which is what zod writes.
import { z } from 'zod';
import { errorCatalogue, type ErrorCode } from '../../../core/error.ts';
import { problemType } from '../../../protocol/problem.ts';
import * as explainSchemas from './explain-schemas.ts';
import * as operationSchemas from './operation-schemas.ts';
import * as poolSchemas from './pool-schemas.ts';
import * as scaleSchemas from './scale-schemas.ts';
import type { AnswerSpec, RouteSpec } from './route-spec.ts';
import * as webhookSchemas from './webhook-schemas.ts';

type Json = Record<string, unknown>;

const schemaRoot = '#/components/schemas/';

/** Problems that any route of a listener can answer, beside its own. */
const everywhere: readonly ErrorCode[] = ['HERALD_REQUEST_INVALID', 'HERALD_ORIGIN_REFUSED'];
const withToken: readonly ErrorCode[] = [
  'HERALD_TOKEN_INVALID',
  'HERALD_NOT_ALLOWED',
  'HERALD_TOO_MANY_REQUESTS',
];
const withBody: readonly ErrorCode[] = [
  'HERALD_BODY_INVALID',
  'HERALD_BODY_NOT_JSON',
  'HERALD_BODY_TOO_LARGE',
];
const byParameter: Readonly<Record<string, ErrorCode>> = {
  '/v1/pools/{pool}': 'HERALD_POOL_UNKNOWN',
  '/v1/nodes/{id}': 'HERALD_NODE_UNKNOWN',
  '/v1/operations/{id}': 'HERALD_OPERATION_UNKNOWN',
  '/v1/policies/{name}': 'HERALD_POLICY_UNKNOWN',
  '/v1/webhooks/{name}': 'HERALD_WEBHOOK_UNKNOWN',
};

/** The document of these routes; `version` is the package's. Frozen in no way: it is printed at once. */
export function openApiDocument(routes: Readonly<Record<string, RouteSpec>>, version: string): Json {
  const paths: Record<string, Json> = {};
  for (const [id, route] of Object.entries(routes)) {
    const path = (paths[route.path] ??= {});
    path[route.method.toLowerCase()] = operationOf(id, route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Herald',
      version,
      description: 'What a Herald balancer tells and takes; docs/reference/api.md has examples.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    tags: [
      { name: 'admin', description: 'Over the UNIX socket, or over TCP with a token where configured.' },
      { name: 'intake', description: 'Reports, probes and metrics.' },
    ],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: componentSchemas(),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operationOf(id: string, route: RouteSpec): Json {
  const parameters = [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)];
  return {
    operationId: id,
    summary: route.summary,
    tags: [route.listener ?? 'admin'],
    ...descriptionOf(route),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: refTo(route.body) } } } }),
    responses: { ...answersOf(route.answers), ...problemsOf(route) },
  };
}

function descriptionOf({ role, description }: RouteSpec): Json {
  const needs = role === 'open' ? [] : [`Needs the role \`${role}\`.`];
  const sentences = [...(description === undefined ? [] : [description]), ...needs];
  return {
    ...(role === 'open' && { security: [] }),
    ...(sentences.length > 0 && { description: sentences.join('\n\n') }),
  };
}

function pathParameters({ path }: RouteSpec): Json[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1, maxLength: 64 },
  }));
}

function queryParameters({ query }: RouteSpec): Json[] {
  return Object.entries(query?.shape ?? {}).map(([name, field]) => {
    // Proof of the cast: the values of a zod shape are zod schemas.
    const { description, ...schema } = plainSchema(field as z.ZodType);
    return { name, in: 'query', description, schema };
  });
}

function headerParameters({ headers = {} }: RouteSpec): Json[] {
  return Object.entries(headers).map(([name, description]) => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string' },
  }));
}

function answersOf(answers: readonly AnswerSpec[]): Json {
  return Object.fromEntries(
    answers.map(({ status, description, schema, mediaType = 'application/json' }) => {
      const content = schema && { content: { [mediaType]: { schema: refTo(schema) } } };
      return [String(status), { description, ...content }];
    }),
  );
}

/** One entry a status: codes that share one are named together. */
function problemsOf(route: RouteSpec): Json {
  const codes = new Set<ErrorCode>([
    ...everywhere,
    ...(route.role === 'open' ? [] : withToken),
    ...(route.query !== undefined || route.headers !== undefined ? (['HERALD_QUERY_INVALID'] as const) : []),
    ...(route.body === undefined ? [] : withBody),
    ...Object.entries(byParameter).flatMap(([start, code]) => (route.path.startsWith(start) ? [code] : [])),
    ...(route.headers !== undefined && 'Idempotency-Key' in route.headers
      ? (['HERALD_IDEMPOTENCY_MISMATCH'] as const)
      : []),
    ...(route.problems ?? []),
  ]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) {
    const { status } = errorCatalogue[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const content = { [problemType]: { schema: refTo(explainSchemas.problemBody) } };
  return Object.fromEntries(
    [...byStatus].map(([status, named]) => [String(status), { description: named.join(', '), content }]),
  );
}

const { maybeNumber: _plain, ...namedPools } = poolSchemas;

/** Every exported schema under its own name with a capital, so that equal parts are written once. */
const components = new Map<z.ZodType, string>(
  Object.entries({
    ...namedPools,
    ...explainSchemas,
    ...operationSchemas,
    ...scaleSchemas,
    ...webhookSchemas,
  }).map(([name, schema]) => [schema, name.slice(0, 1).toUpperCase() + name.slice(1)]),
);

function componentSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of components) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: (id) => `${schemaRoot}${id}` });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutHead(schema)]));
}

function refTo(schema: z.ZodType): Json {
  const id = components.get(schema);
  return id === undefined ? plainSchema(schema) : { $ref: `${schemaRoot}${id}` };
}

function plainSchema(schema: z.ZodType): Json {
  return withoutHead(z.toJSONSchema(schema, { io: 'input' }));
}

/** `$id` of a component would be the base of every reference in it. */
function withoutHead(schema: Json): Json {
  const { $schema: _schema, $id: _id, ...rest } = schema;
  return rest;
}
