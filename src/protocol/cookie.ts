// The one cookie question that the proxy asks. Cookies are otherwise the application's and pass untouched.
import { valuesOf, type HeadFields } from './http-head.ts';

/** The value of the first cookie called `name`, '' when the request has none. Quotes are left as they are. */
export function cookieValue(fields: HeadFields, name: string): string {
  for (const line of valuesOf(fields, 'cookie')) {
    const value = valueIn(line, name);
    if (value !== '') return value;
  }
  return '';
}

function valueIn(line: string, name: string): string {
  for (const pair of line.split(';')) {
    const equals = pair.indexOf('=');
    if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return '';
}
