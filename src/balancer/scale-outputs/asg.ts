// The route of AWS lifecycle hooks. It drains nodes, so it needs a token that may change things.
import { isDeepStrictEqual } from 'node:util';
import { HeraldError } from '../../core/error.ts';
import type { HttpRoutes } from '../../platform/http-app.ts';
import { readJson } from '../../platform/http-body.ts';
import { createTokenFinder, type FindToken } from '../../platform/http-token.ts';
import type { TokenConfig } from '../../policy/config.ts';
import type { AsgHooks, HookCaller } from './asg-hooks.ts';

// An event of EventBridge has 256 KiB at most, one of a lifecycle hook about one.
const maxEventBytes = 64 * 1024;

/** `POST /v1/hooks/asg`. `tokens` are those of the intake as they are now; `hooks` undefined: HERALD_NOT_AVAILABLE. */
export function asgRoutes(
  hooks: Pick<AsgHooks, 'take'> | undefined,
  tokens: () => readonly TokenConfig[],
): HttpRoutes {
  const identify = createIdentify(tokens);
  return {
    '/v1/hooks/asg': {
      async POST(context) {
        const caller = identify(context.req.header('authorization'));
        if (hooks === undefined)
          throw new HeraldError('HERALD_NOT_AVAILABLE', 'the configuration has no section asg');
        const body = await readJson(context, { maxBytes: maxEventBytes, invalid: 'HERALD_BODY_INVALID' });
        return context.json(hooks.take(body, caller), 202);
      },
    },
  };
}

function createIdentify(
  tokens: () => readonly TokenConfig[],
): (authorization: string | undefined) => HookCaller {
  let known: readonly TokenConfig[] = [];
  let find: FindToken<TokenConfig> = createTokenFinder(known);
  return (authorization) => {
    const now = tokens();
    if (!isDeepStrictEqual(known, now)) find = createTokenFinder(now);
    known = now;
    const found = authorization === undefined ? undefined : find(authorization);
    if (found === undefined)
      throw new HeraldError('HERALD_TOKEN_INVALID', 'this hook needs a token of intake.tokens');
    if (found.role === 'operate') return { by: found.name, pools: found.pools };
    throw new HeraldError(
      'HERALD_NOT_ALLOWED',
      `token '${found.name}' has the role '${found.role}', this needs 'operate'`,
    );
  };
}
