// The JSON schemas that editors complete policies and configs from.
import type { z } from 'zod';
import { agentSchema } from '../../src/policy/agent-schema.ts';
import { configSchema } from '../../src/policy/config-schema.ts';
import { policySchema } from '../../src/policy/policy-schema.ts';
import { inputSchema, type SchemaNode } from '../../src/policy/schema-problems.ts';
import type { Generator } from './generator.ts';
import { printJson } from './print-json.ts';

export const jsonSchemas: readonly Generator[] = [
  {
    path: 'config/policy.schema.json',
    render: () => printJson(editorSchema(policySchema, 'A policy of Herald, see docs/reference/policy.md.')),
  },
  {
    path: 'config/config.schema.json',
    render: () =>
      printJson(editorSchema(configSchema, 'A configuration of Herald, see docs/reference/config.md.')),
  },
  {
    path: 'config/agent.schema.json',
    render: () =>
      printJson(editorSchema(agentSchema, 'A sidecar agent of Herald, see docs/reference/agent.md.')),
  },
];

function editorSchema(schema: z.ZodType, description: string): object {
  const { $schema, ...rest } = forEditors(inputSchema(schema)) as Record<string, unknown>;
  return { $schema, description, ...rest };
}

/** Without what only the reference page needs, and without keys that are not available yet. */
function forEditors(node: SchemaNode): object {
  const { unit: _unit, shorthand, properties, items, additionalProperties, samples, ...others } = node;
  const { default: written, preset = written, ...rest } = others;
  const mapping = {
    ...rest,
    ...(samples === undefined ? {} : { examples: samples }),
    ...(properties === undefined ? {} : { properties: forEditorsEach(properties) }),
    ...(items === undefined ? {} : { items: forEditors(items) }),
    ...(additionalProperties === undefined
      ? {}
      : {
          additionalProperties:
            typeof additionalProperties === 'object' ? forEditors(additionalProperties) : false,
        }),
  };
  const extra = isTellingDefault(preset) ? { default: preset } : {};
  if (shorthand === undefined) return { ...mapping, ...extra };
  const { description, ...withoutDescription } = mapping;
  return { description, anyOf: [{ enum: shorthand }, withoutDescription], ...extra };
}

function forEditorsEach(properties: Readonly<Record<string, SchemaNode>>): object {
  const known = Object.entries(properties).filter(([, property]) => property.unit !== 'not available yet');
  return Object.fromEntries(known.map(([key, property]) => [key, forEditors(property)]));
}

/** An empty mapping as the default says nothing, and words in backticks are for the reference page. */
function isTellingDefault(preset: unknown): boolean {
  if (preset === undefined) return false;
  if (typeof preset === 'string') return !preset.includes('`');
  return typeof preset !== 'object' || preset === null || Object.keys(preset).length > 0;
}
