// The bytes of the answers that Herald gives itself where no framework writes them. What they say is in problem.ts.
import { Buffer } from 'node:buffer';
import { errorCatalogue } from '../core/error.ts';
import { problemOf, problemType, type Problem } from './problem.ts';

const phrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};

/** The HTTP status of a problem. */
export function statusOf(problem: Problem): number {
  return errorCatalogue[problem.code].status;
}

/** The JSON body for a client of the public listeners: without the remedy, which is for who runs the balancer. */
export function problemBody(problem: Problem): string {
  const { remedy: _, ...told } = problemOf(problem);
  return JSON.stringify(told);
}

/** The fields that go with the body, as name and value in turn. Retry-After is whole seconds, rounded up. */
export function problemFields(problem: Problem, body: string): string[] {
  const fields = [
    'Content-Type',
    problemType,
    'Content-Length',
    String(Buffer.byteLength(body, 'utf8')),
    'Cache-Control',
    'no-store',
  ];
  if (problem.retryAfterMs !== undefined)
    fields.push('Retry-After', String(Math.ceil(problem.retryAfterMs / 1000)));
  return fields;
}

/** A whole HTTP/1.1 answer that closes the connection, in UTF-8; `more` are fields to add, names and values in turn. */
export function problemResponse(problem: Problem, more: readonly string[] = []): string {
  const body = problemBody(problem);
  const status = statusOf(problem);
  let text = `HTTP/1.1 ${status} ${phrases[status] ?? 'Error'}\r\n`;
  const fields = [...problemFields(problem, body), ...more];
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return `${text}Connection: close\r\n\r\n${body}`;
}
