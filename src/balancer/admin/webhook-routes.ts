// Webhooks, their dead letters and the way to send one once more, for whoever may see their pools.
import { HeraldError } from '../../core/error.ts';
import { meantHint } from '../../core/nearest.ts';
import type { DeadLetterList, WebhookView } from '../../protocol/webhooks.ts';
import { ok } from './answer.ts';
import type { Caller } from './caller.ts';
import type { HandlersOf } from './handlers.ts';
import { nameIn } from './path-name.ts';
import type { ScopedView } from './scoped-view.ts';
import { needWebhooks, type WebhookDesk } from './webhook-port.ts';

type Ids = 'listWebhooks' | 'listDeadLetters' | 'redeliverDeadLetter';

interface Asking {
  readonly view: ScopedView;
  readonly caller: Caller;
}

export function webhookHandlers({ webhooks }: { webhooks?: WebhookDesk | undefined }): HandlersOf<Ids> {
  const desk = () => needWebhooks(webhooks);
  return {
    listWebhooks: ({ view }) => ok({ webhooks: seenWebhooks(desk(), view) }),
    listDeadLetters({ view, caller, context }) {
      const name = nameIn(context, 'name');
      return ok({ deadLetters: seenLetters(desk(), name, { view, caller }) });
    },
    redeliverDeadLetter({ view, caller, context }) {
      const [name, id] = [nameIn(context, 'name'), nameIn(context, 'id')];
      const letter = seenLetters(desk(), name, { view, caller }).find((each) => each.id === id);
      if (letter === undefined) throw letterUnknown(name, id);
      desk().redeliver(name, id);
      const { event: _sent, ...summary } = letter;
      return { status: 202, json: summary };
    },
  };
}

/** Those that can be told of a pool in scope. */
function seenWebhooks(desk: WebhookDesk, view: ScopedView): WebhookView[] {
  return desk.list().filter(({ pools }) => pools === null || pools.some((pool) => view.sees(pool)));
}

/** The letters in scope: what is about no pool is for who may see all of them. */
function seenLetters(
  desk: WebhookDesk,
  name: string,
  { view, caller }: Asking,
): DeadLetterList['deadLetters'] {
  const names = seenWebhooks(desk, view).map((each) => each.name);
  if (!names.includes(name)) {
    const message = `there is no webhook '${name}'${meantHint(name, names)}`;
    throw new HeraldError('HERALD_WEBHOOK_UNKNOWN', message, { webhook: name });
  }
  return desk
    .deadLetters(name)
    .filter(({ pool }) => (pool === '' ? caller.pools === 'all' : view.sees(pool)));
}

function letterUnknown(webhook: string, id: string): HeraldError {
  const message = `webhook '${webhook}' has no dead letter '${id}': it was sent again or is forgotten`;
  return new HeraldError('HERALD_DEAD_LETTER_UNKNOWN', message, { webhook, id });
}
