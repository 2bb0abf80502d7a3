// Replacing the process by a new one: how it stands, and the wish for it.
import { HeraldError } from '../../core/error.ts';
import { ok } from './answer.ts';
import { localCaller } from './caller.ts';
import type { HandlersOf } from './handlers.ts';
import { needTakeover, type TakeoverDesk } from './takeover-port.ts';

export function takeoverHandlers({
  takeover,
}: {
  takeover?: TakeoverDesk | undefined;
}): HandlersOf<'getTakeover' | 'takeOver'> {
  return {
    getTakeover: () => ok(needTakeover(takeover).view()),
    async takeOver({ caller }) {
      // Whoever owns the socket may start processes as this user anyway; a token over the network never could.
      if (caller !== localCaller)
        throw new HeraldError('HERALD_NOT_ALLOWED', 'a takeover is asked for over the admin socket only');
      return ok(await needTakeover(takeover).begin(caller.by));
    },
  };
}
