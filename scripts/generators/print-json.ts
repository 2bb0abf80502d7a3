// Writes JSON as the formatter leaves it, so that a formatted tree and a generated one are the same.

const width = 110;

/** JSON with two blanks a level: mappings broken, lists of plain values on one line where they fit. */
export function printJson(value: unknown): string {
  return `${print(value, '', 0)}\n`;
}

/** `before` is how much of the first line is taken. */
function print(value: unknown, indent: string, before: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const flat = `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
    const isPlain = value.every((item) => typeof item !== 'object');
    if (value.length === 0 || (isPlain && before + flat.length < width)) return flat;
    return `[\n${value.map((item) => inner + print(item, inner, inner.length)).join(',\n')}\n${indent}]`;
  }
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  if (entries.length === 0) return '{}';
  const lines = entries.map(([key, part]) => {
    const head = `${inner}${JSON.stringify(key)}: `;
    return head + print(part, inner, head.length);
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}
