// One request for one page, and what may go wrong with it. When to ask is http-poller.ts's work.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isRecord, shown } from '../../protocol/field-checks.ts';
import { type HttpLine, readLimited } from '../http-line.ts';

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
  ECONNRESET: 'the connection was closed before the answer was whole',
  ENOTFOUND: 'the host name does not resolve',
  EAI_AGAIN: 'the name server does not answer',
  HPE_HEADER_OVERFLOW: 'the head of the answer is too large',
};

/** Asks once. Never rejects. After anything but a page the caller must abort, which closes the connection. */
export async function askForPage(
  line: HttpLine,
  { url, headers, maxBodyBytes }: PageRequest,
  signal: AbortSignal,
): Promise<PageOutcome> {
  const path = `${url.pathname}${url.search}`;
  try {
    return await line.ask({ method: 'GET', path, headers, signal }, (answer) =>
      readPage(answer, maxBodyBytes),
    );
  } catch (error) {
    return { kind: 'silent', reason: failureOf(error) };
  }
}

async function readPage(answer: IncomingMessage, maxBodyBytes: number): Promise<PageOutcome> {
  const { statusCode = 0, headers } = answer;
  const refusal = judgeHead(statusCode, headers, maxBodyBytes);
  if (refusal !== undefined) return { kind: 'refused', reason: refusal };
  const { bytes, isWhole } = await readLimited(answer, maxBodyBytes);
  if (!isWhole) return { kind: 'refused', reason: tooLong(maxBodyBytes) };
  // A byte order mark is no part of the text.
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  return { kind: 'page', page: createPage(text, shown(headers['content-type'])) };
}

/** Why the answer is no page, by its head alone; undefined when its body is worth reading. */
function judgeHead(status: number, headers: IncomingHttpHeaders, maxBodyBytes: number): string | undefined {
  const { location } = headers;
  if (status >= 300 && status < 400 && location !== undefined) {
    const [target = ''] = location.split(/[?#]/, 1);
    return `answered ${status} and points to ${shown(target)}: redirects are never followed, give the final URL`;
  }
  if (status !== 200) {
    const hint = statusHints[status];
    return `answered ${status}, not 200${hint === undefined ? '' : `: ${hint}`}`;
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity')
    return `answered with Content-Encoding ${shown(encoding)}: the agent takes plain bodies only and says so`;
  if (Number(headers['content-length']) > maxBodyBytes) return tooLong(maxBodyBytes);
  return undefined;
}

function tooLong(maxBodyBytes: number): string {
  return `the body is longer than ${maxBodyBytes} bytes: ask for a smaller page or raise sources.maxBody`;
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

/** An error as a short sentence. Parts of the answer may be in its message, so only its code is used. */
function failureOf(error: unknown): string {
  const code = isRecord(error) && typeof error['code'] === 'string' ? error['code'] : 'FAILED';
  const hint = errorHints[code] ?? (code.startsWith('HPE_') ? 'the answer is not HTTP' : undefined);
  const plain = code.slice(0, 64).replaceAll(/[^\x21-\x7e]/g, '?');
  return hint === undefined ? `no answer (${plain})` : `no answer (${plain}): ${hint}`;
}
