// Writes haproxy-2.6.json anew: `npx tsx test/integration/proxy/hygiene/record-haproxy.ts`, where HAProxy 2.6 is.
import { writeFileSync } from 'node:fs';
import { runAtHaproxy } from './run-haproxy.ts';
import { hygieneTables } from './tables.ts';

const cases = hygieneTables.flatMap((table) => table.cases);
const outcomes = await runAtHaproxy(cases);
const byName = Object.fromEntries(cases.map(({ name }, index) => [name, outcomes[index]]));
writeFileSync(new URL('haproxy-2.6.json', import.meta.url), `${JSON.stringify(byName, undefined, 2)}\n`);
