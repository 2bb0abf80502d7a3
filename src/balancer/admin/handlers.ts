// The handlers of all routes, by operation id. Each room of the API answers for its own.
import type { adminRoutes } from './api/routes.ts';
import type { Handler } from './dispatch.ts';

/** The routes of the admin listener. */
export type AdminRoutes = typeof adminRoutes;

/** Handlers of some routes. */
export type HandlersOf<Ids extends keyof AdminRoutes> = {
  readonly [Id in Ids]: Handler<AdminRoutes[Id]>;
};

/** One handler for every route: the compiler misses none. */
export type AdminHandlers = HandlersOf<keyof AdminRoutes>;
