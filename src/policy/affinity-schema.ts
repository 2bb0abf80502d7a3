// The schema of `affinity` of a policy: which keys go with which kind, and what each kind demands.
import { z } from 'zod';
import { count, duration, field, orOff, percentage } from './field.ts';
import { showValue, type Reading } from './quantity.ts';

// The keys have their defaults in compile-policy.ts, so that writing one where it has no use can be an error.
export const affinityDefaults = {
  name: 'herald',
  yieldAt: '110%',
  bound: '125%',
  secure: 'auto',
  httpOnly: true,
  sameSite: 'lax',
} as const;

const kinds = ['none', 'cookie', 'header', 'query', 'path', 'source'] as const;

type Kind = (typeof kinds)[number];

/** Which kinds a key is of use to. */
const users = {
  name: ['cookie', 'header', 'query'],
  segment: ['path'],
  yieldAt: ['cookie', 'header', 'query', 'path', 'source'],
  bound: ['header', 'query', 'path', 'source'],
  secure: ['cookie'],
  httpOnly: ['cookie'],
  sameSite: ['cookie'],
  maxAge: ['cookie'],
} as const satisfies Record<string, readonly Kind[]>;

type Key = keyof typeof users;

// What a reader of `name` may say: cookies and headers are tokens (RFC 6265 section 4.1.1, RFC 9110 section 5.1), and
// parameters that need no percent-encoding.
const nameForms = {
  cookie: {
    form: /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/,
    what: 'a cookie name',
    hint: 'letters, digits, _ and -, such as herald',
  },
  header: {
    form: /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/,
    what: 'a header name',
    hint: 'letters, digits and -, such as X-Session',
  },
  query: {
    form: /^[A-Za-z0-9._~-]{1,64}$/,
    what: 'the name of a parameter',
    hint: 'letters, digits and . _ ~ -, such as session',
  },
} as const;

function readName(value: unknown): Reading<string> {
  if (typeof value === 'string') return { value };
  return { message: `${showValue(value)} is not a name`, hint: 'put it in quotes' };
}

/** `affinity`. */
export const affinitySchema = z
  .strictObject({
    kind: z
      .enum(kinds)
      .prefault('none')
      .describe(
        'How a client is known again. `cookie`: by a cookie that Herald sets. `header`, `query`, `path`, `source`: by hashing what the request says, or where it comes from.',
      ),
    name: field(readName, { type: 'string', examples: ['herald'], unit: 'name' })
      .optional()
      .describe('Name of the cookie, of the header or of the query parameter; the last two have no default.')
      .meta({ preset: affinityDefaults.name }),
    segment: count(1, 32)
      .optional()
      .describe('Which segment of the path, counted from 1; for `path`, without default.'),
    yieldAt: percentage('1%', '1000%')
      .optional()
      .describe('Affinity yields to placement when the node is fuller than this; 100% is a full node.')
      .meta({ preset: affinityDefaults.yieldAt }),
    bound: orOff('percentage', '101%', '1000%')
      .optional()
      .describe(
        'For hashing: most connections of a node, as a part of what its size entitles it to; what comes above goes to the next node of its key. Plain requests are not held to it.',
      )
      .meta({ preset: affinityDefaults.bound }),
    secure: z
      .enum(['auto', 'always', 'never'])
      .optional()
      .describe('`Secure` on the cookie. `auto`: where the client came by https.')
      .meta({ preset: affinityDefaults.secure }),
    httpOnly: z
      .boolean()
      .optional()
      .describe('`HttpOnly` on the cookie: scripts of the page cannot read it.')
      .meta({ preset: affinityDefaults.httpOnly }),
    sameSite: z
      .enum(['lax', 'strict', 'none'])
      .optional()
      .describe('`SameSite` of the cookie. `none`, for pages of other sites, needs `secure: always`.')
      .meta({ preset: affinityDefaults.sameSite }),
    maxAge: duration('1m', '8760h')
      .optional()
      .describe('`Max-Age` of the cookie; left out, the browser forgets it when it closes.'),
  })
  .check((context) => {
    const { value } = context;
    const add = (key: Key, message: string, hint: string): void => {
      context.issues.push({ code: 'custom', input: value, path: [key], message, params: { hint } });
    };
    const { kind, name, segment } = value;
    for (const key of Object.keys(users) as Key[]) {
      if (value[key] === undefined || users[key].some((user) => user === kind)) continue;
      if (kind === 'none') add(key, 'needs a kind', `add kind: ${users[key][0]}`);
      else add(key, `has no use with kind: ${kind}`, `it goes with ${users[key].join(', ')}`);
    }
    if (kind === 'path' && segment === undefined)
      add('segment', 'is missing', 'path needs to know which, such as segment: 3');
    if ((kind === 'header' || kind === 'query') && name === undefined)
      add('name', 'is missing', `${kind} needs one: ${nameForms[kind].hint}`);
    if (name !== undefined && (kind === 'cookie' || kind === 'header' || kind === 'query')) {
      const { form, what, hint } = nameForms[kind];
      if (!form.test(name)) add('name', `${showValue(name)} is not ${what}`, hint);
    }
    if (value.sameSite === 'none' && value.secure !== 'always')
      add('sameSite', 'none is refused by browsers without Secure', 'add secure: always');
  })
  .prefault({})
  .describe('Whether a client that returns goes to the node it was on.');
