import type { FastifyInstance, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify'
import { PawlError } from '../errors.ts'
import type { Auth } from '../tokens/auth.ts'
import { type AuthorizeOptions, type Demand, readDemand } from './demands.ts'

/** What an instance needs, so that the preHandlers below find it when a request comes. */
export interface Guards {
  authenticate: preHandlerAsyncHookHandler
  authorize(demand: Demand): preHandlerAsyncHookHandler
}

/**
 * The decorator with the guards. A symbol, so that no decorator of an application, such as an
 * `authenticate` of its own, can be taken for it. Registered, so that a second copy of the package
 * finds it.
 */
export const GUARDS: unique symbol = Symbol.for('pawl.guards')

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `authenticate` and `authorize`; null on a route that has neither. */
    auth: Auth | null
  }
  interface FastifyInstance {
    /** preHandler: 401 without a valid access token of a live session. */
    authenticate: preHandlerAsyncHookHandler
    /**
     * preHandler: `authenticate`, then 403 if the user lacks the role or a permission, then 401
     * `AUTH_REAUTHENTICATION_REQUIRED` if the user has to authenticate again. Throws a `TypeError`
     * if an option is not valid.
     */
    authorize(options: AuthorizeOptions): preHandlerAsyncHookHandler
    [GUARDS]?: Guards
  }
}

/**
 * preHandler: 401 without a valid access token of a live session. It finds Pawl when a request
 * comes, so it does not matter whether `register(pawl)` has been awaited. Without Pawl in this
 * scope or in one around it, the response is a 500.
 */
export const authenticate: preHandlerAsyncHookHandler = async function (request, reply) {
  return guardsOf(request).authenticate.call(this, request, reply)
}

/**
 * Returns a preHandler: `authenticate`, then 403 if the user lacks the role or a permission, then
 * 401 `AUTH_REAUTHENTICATION_REQUIRED` if the user has to authenticate again. Throws a `TypeError`
 * if an option is not valid.
 */
export function authorize(options: AuthorizeOptions): preHandlerAsyncHookHandler {
  const demand = readDemand(options)
  const handlers = new WeakMap<Guards, preHandlerAsyncHookHandler>()
  return async function (request, reply) {
    const guards = guardsOf(request)
    const handler = handlers.get(guards) ?? guards.authorize(demand)
    handlers.set(guards, handler)
    return handler.call(this, request, reply)
  }
}

/**
 * Returns `request.auth`, which is never null if the route has one of the preHandlers above.
 * Throws `AUTH_MISSING_TOKEN`, a 401, in a route that has none.
 */
export function authOf({ auth }: FastifyRequest): Auth {
  if (!auth) throw new PawlError('AUTH_MISSING_TOKEN')
  return auth
}

function guardsOf({ server }: FastifyRequest): Guards {
  const guards = (server as FastifyInstance)[GUARDS]
  if (guards) return guards
  throw new Error('Pawl is not registered in the scope of this route, nor in one around it')
}
