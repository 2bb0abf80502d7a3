// Bearer tokens: which of the configured ones a request shows. What each may do is not known here.
import { createHash, timingSafeEqual } from 'node:crypto';

/** The token that an Authorization field shows; undefined when none matches or the field is no bearer token. */
export type FindToken<Token> = (authorization: string) => Token | undefined;

/** Finds tokens by their secret. Only digests are kept. */
export function createTokenFinder<Token extends { readonly secret: string }>(
  tokens: readonly Token[],
): FindToken<Token> {
  const known = tokens.map((token) => ({ token, digest: digestOf(token.secret) }));
  return (authorization) => {
    const secret = /^Bearer +([!-~]+) *$/i.exec(authorization)?.[1];
    const digest = digestOf(secret ?? '');
    // Digests have one length, and every token is compared: time tells neither which one matches nor how far.
    let found: Token | undefined;
    for (const each of known) if (timingSafeEqual(each.digest, digest)) found = each.token;
    return secret === undefined ? undefined : found;
  };
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
