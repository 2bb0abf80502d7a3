// graphql-ws, client and server: operations in order through a balancer, and subscriptions over a drain.
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
// By its file: the test runner would take the package's `module`, a second copy beside the one that graphql-ws loads.
import {
  GraphQLInt,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql/index.js';
import { createClient, type Client, type ClientOptions } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { aClientHouse, otherThan, retryHintMs } from '../../support/a-client-house.ts';
import { until } from '../../support/until.ts';

/** `where`: the node's id. `count`: numbers up to `to`. `home`: the node's id once, then nothing until it ends. */
function schemaOf(id: string): GraphQLSchema {
  const text = new GraphQLNonNull(GraphQLString);
  const number = new GraphQLNonNull(GraphQLInt);
  return new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { where: { type: text, resolve: () => id } } }),
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: {
        count: {
          type: number,
          args: { to: { type: number } },
          async *subscribe(_, { to }: { to: number }) {
            for (let index = 0; index < to; index += 1) yield { count: index };
          },
        },
        home: {
          type: text,
          async *subscribe() {
            yield { home: id };
            await new Promise(() => {});
          },
        },
      },
    }),
  });
}

function graphqlNode(id: string, server: Server): void {
  useServer({ schema: schemaOf(id) }, new WebSocketServer({ server, path: '/graphql' }));
}

function connect(port: number, options: Partial<ClientOptions> = {}): Client {
  const client = createClient({
    url: `ws://127.0.0.1:${port}/graphql`,
    webSocketImpl: WebSocket,
    ...options,
  });
  onTestFinished(() => void client.dispose());
  return client;
}

async function all(client: Client, query: string): Promise<unknown[]> {
  const heard: unknown[] = [];
  for await (const { data, errors } of client.iterate({ query })) heard.push(errors ?? data);
  return heard;
}

describe('graphql-ws', () => {
  it('gets answers, and every event of a subscription in order, while others run beside it', async () => {
    const { port } = await aClientHouse(graphqlNode);
    const client = connect(port, { lazyCloseTimeout: 1000 });
    const [first, second, where] = await Promise.all([
      all(client, 'subscription { count(to: 500) }'),
      all(client, 'subscription { count(to: 300) }'),
      all(client, '{ where }'),
    ]);
    expect(first).toEqual(Array.from({ length: 500 }, (_, count) => ({ count })));
    expect(second).toEqual(Array.from({ length: 300 }, (_, count) => ({ count })));
    expect([{ where: 'a' }, { where: 'b' }]).toContainEqual(where[0]);
  });

  it('takes the goodbye of a drain for a reason to subscribe again, elsewhere, at the time it was told', async () => {
    const { port, drain, openOn } = await aClientHouse(graphqlNode);
    const closes: { code: number; reason: string }[] = [];
    const client = connect(port, {
      keepAlive: 200,
      on: { closed: (event) => void closes.push(event as { code: number; reason: string }) },
      retryWait: () => sleep(retryHintMs(closes.at(-1)?.reason ?? '')),
    });
    const homes: unknown[] = [];
    const ends: unknown[] = [];
    const unsubscribe = client.subscribe<{ home: string }>(
      { query: 'subscription { home }' },
      {
        next: ({ data }) => void homes.push(data?.home),
        error: (error) => void ends.push(error),
        complete: () => void ends.push('complete'),
      },
    );
    await until(
      () => homes.length === 1,
      () => 'no subscription',
    );
    const home = String(homes[0]);
    expect(await drain(home)).toMatchObject({ progress: { total: 1, closed: 1 } });
    await until(
      () => homes.length === 2,
      () => JSON.stringify([homes, ends]),
    );
    expect(homes).toEqual([home, otherThan(home)]);
    expect(closes.map(({ code }) => code)).toEqual([1012]);
    expect(ends).toEqual([]);
    expect([openOn(home), openOn(otherThan(home))]).toEqual([0, 1]);
    unsubscribe();
  });
});
