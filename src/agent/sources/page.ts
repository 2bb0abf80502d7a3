// One request for one page, and what may go wrong with it. When to ask is http-poller.ts's work.
import { type Client, errors } from 'undici';
import { isRecord, shown } from '../../protocol/field-checks.ts';

/** What is asked for. */
export interface PageRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly maxBodyBytes: number;
}

/** What came of a request. */
export type PageOutcome =
  /** A whole body with status 200. */
  | { readonly kind: 'page'; readonly page: Page }
  /** An answer that is none of that: the last page no longer holds. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** No whole answer: the last page may still hold. */
  | { readonly kind: 'silent'; readonly reason: string };

/** A body with status 200, shared by the signals that read from it. */
export interface Page {
  readonly text: string;
  /** In quotes and cut, for a message. */
  readonly contentType: string;
  /** The document, parsed once; undefined when the body is not JSON. */
  json(): { readonly document: unknown } | undefined;
}

const statusHints: Readonly<Record<number, string>> = {
  401: 'check its authorizationFile',
  403: 'check its authorizationFile',
  404: 'check the path of the URL',
  407: 'a proxy stands in between; the agent asks without one',
  429: 'the application is asked too often; ask less often',
};

const errorHints: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: is the application up, and is this its port?',
  ECONNRESET: 'the connection was cut in the middle of the answer',
  ENOTFOUND: 'the host name does not resolve',
  EAI_AGAIN: 'the name server does not answer',
  UND_ERR_SOCKET: 'the connection was closed before the answer was whole',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_OVERFLOW: 'the head of the answer is too large',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the body is shorter or longer than Content-Length says',
};

/** Asks once. Never rejects. After anything but a page the caller must abort, which closes the connection. */
export async function askForPage(
  client: Client,
  request: PageRequest,
  signal: AbortSignal,
): Promise<PageOutcome> {
  const { url, headers, maxBodyBytes } = request;
  try {
    const answer = await client.request({
      path: `${url.pathname}${url.search}`,
      method: 'GET',
      headers,
      signal,
    });
    // Aborting destroys the body with an error, whether or not somebody is reading.
    answer.body.on('error', () => {});
    const refusal = judgeHead(answer.statusCode, answer.headers, maxBodyBytes);
    if (refusal !== undefined) return { kind: 'refused', reason: refusal };
    const text = await readBody(answer.body, maxBodyBytes);
    if (text === undefined) return { kind: 'refused', reason: tooLong(maxBodyBytes) };
    return { kind: 'page', page: createPage(text, shown(textOf(answer.headers['content-type']))) };
  } catch (error) {
    return { kind: 'silent', reason: failureOf(error) };
  }
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Why the answer is no page, by its head alone; undefined when its body is worth reading. */
function judgeHead(status: number, headers: Headers, maxBodyBytes: number): string | undefined {
  const location = textOf(headers['location']);
  if (status >= 300 && status < 400 && location !== undefined) {
    const [target = ''] = location.split(/[?#]/, 1);
    return `answered ${status} and points to ${shown(target)}: redirects are never followed, give the final URL`;
  }
  if (status !== 200) {
    const hint = statusHints[status];
    return `answered ${status}, not 200${hint === undefined ? '' : `: ${hint}`}`;
  }
  const encoding = textOf(headers['content-encoding']);
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity')
    return `answered with Content-Encoding ${shown(encoding)}: the agent takes plain bodies only and says so`;
  if (Number(textOf(headers['content-length'])) > maxBodyBytes) return tooLong(maxBodyBytes);
  return undefined;
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header;
}

function tooLong(maxBodyBytes: number): string {
  return `the body is longer than ${maxBodyBytes} bytes: ask for a smaller page or raise sources.maxBody`;
}

/** The body as UTF-8, undefined when it is too long. */
async function readBody(body: AsyncIterable<Buffer>, maxBodyBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    // Leaving the loop destroys the body and its connection.
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  // A byte order mark is no part of the text.
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
}

function createPage(text: string, contentType: string): Page {
  let parsed: { readonly document: unknown } | undefined;
  let isParsed = false;
  return {
    text,
    contentType,
    json() {
      if (!isParsed) parsed = parse(text);
      isParsed = true;
      return parsed;
    },
  };
}

function parse(text: string): { readonly document: unknown } | undefined {
  try {
    return { document: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** An error as a short sentence. Parts of the answer may be in its message, so only its code or name is used. */
function failureOf(error: unknown): string {
  const isGarbage = error instanceof errors.HTTPParserError;
  const code = isRecord(error) && typeof error['code'] === 'string' ? error['code'] : undefined;
  const known = code ?? (isGarbage ? 'HTTPParserError' : 'FAILED');
  const hint = isGarbage ? 'the answer is not HTTP' : errorHints[known];
  const plain = known.slice(0, 64).replaceAll(/[^\x21-\x7e]/g, '?');
  return hint === undefined ? `no answer (${plain})` : `no answer (${plain}): ${hint}`;
}
