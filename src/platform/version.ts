// The version of this package, read from its own package.json: one place to change it.
import { readFileSync } from 'node:fs';

/** Version of this package, such as `0.1.0`. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version }: { version?: unknown } = JSON.parse(text);
  return String(version);
}
