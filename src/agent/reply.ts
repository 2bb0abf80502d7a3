// Judges what became of a report. Each way to fail has a code that stays the same while the reason does.
import { isRecord } from '../protocol/field-checks.ts';
import { decodeReportAnswer, type ReportAnswer } from '../protocol/report.ts';
import type { ReportFailure } from './event.ts';

/** Of what a balancer says, so much is shown. */
const maxMessageCharacters = 500;

/** What an answer means. */
export type Verdict =
  | { readonly isTaken: true; readonly answer: ReportAnswer }
  | { readonly isTaken: false; readonly failure: ReportFailure };

/** Judges an answer by its status and body. */
export function judgeReply(status: number, reply: string): Verdict {
  const body = parsed(reply);
  if (status < 200 || status >= 300) return { isTaken: false, failure: refusal(status, body) };
  const answer = decodeReportAnswer(body);
  if (answer !== undefined) return { isTaken: true, answer };
  const message = `status ${status} without directives: is this a balancer's intake?`;
  return { isTaken: false, failure: { code: 'ANSWER_INVALID', message } };
}

function refusal(status: number, body: unknown): ReportFailure {
  const { code, detail, title, message } = isRecord(body) ? body : {};
  const said = [detail, message, title].find((text) => typeof text === 'string' && text !== '');
  return {
    code: typeof code === 'string' && /^HERALD_[A-Z_]{1,64}$/.test(code) ? code : `HTTP_${status}`,
    message: printable(typeof said === 'string' ? said : `the balancer answered ${status}`),
  };
}

/** Why there was no answer. */
export function failureOf(error: unknown, wasAborted: boolean): ReportFailure {
  if (wasAborted) return { code: 'TIMEOUT', message: 'no answer in time' };
  const code = isRecord(error) && typeof error['code'] === 'string' ? error['code'] : 'FAILED';
  return { code, message: printable(error instanceof Error ? error.message : String(error)) };
}

function printable(text: string): string {
  return text.slice(0, maxMessageCharacters).replaceAll(/[^\x20-\x7e]/g, '?');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
