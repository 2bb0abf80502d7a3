import { describe, expect, it } from 'vitest';
import { errorCatalogue } from '../../../src/core/error.ts';
import { errorReference } from '../../../scripts/generators/error-reference.ts';
import { jsonSchemas } from '../../../scripts/generators/json-schema.ts';
import { keyReferences } from '../../../scripts/generators/key-reference.ts';
import { printJson } from '../../../scripts/generators/print-json.ts';

describe('the generated pages', () => {
  it('give every key of a policy and a config a meaning', () => {
    for (const page of keyReferences) {
      const rows = page
        .render()
        .split('\n')
        .filter((line) => line.startsWith('| `'));
      expect(rows.length).toBeGreaterThan(40);
      for (const row of rows) expect(row).toMatch(/^\| `[^`]+` \| [^|]+ \|[^|]*\| [^|]{10,} \|$/);
    }
  });

  it('have a section for every error code', () => {
    const page = errorReference.render();
    for (const code of Object.keys(errorCatalogue)) expect(page).toContain(`\n## ${code}\n`);
  });
});

describe('the JSON schemas', () => {
  it('describe every key and show examples of quantities', () => {
    const [policy] = jsonSchemas;
    const schema: unknown = JSON.parse(policy?.render() ?? '');
    expect(schema).toHaveProperty('properties.drain.properties.deadline', {
      description: 'When a drained node must be empty.',
      type: 'string',
      pattern: String.raw`^\d+(\.\d+)?(ms|s|m|h)$`,
      examples: ['500ms', '1s', '5m', '2h'],
      default: '10m',
    });
    expect(schema).toHaveProperty('properties.affinity.properties.yieldAt.default', '110%');
    expect(schema).toHaveProperty('additionalProperties', false);
  });
});

describe('printJson', () => {
  it('breaks mappings always and lists where they do not fit', () => {
    const long = Array.from({ length: 30 }, (_, index) => `item ${index}`);
    const text = printJson({ a: [1, 2], b: {}, c: long, d: undefined });
    expect(JSON.parse(text)).toEqual({ a: [1, 2], b: {}, c: long });
    expect(text.split('\n').slice(0, 5)).toEqual([
      '{',
      '  "a": [1, 2],',
      '  "b": {},',
      '  "c": [',
      '    "item 0",',
    ]);
  });
});
