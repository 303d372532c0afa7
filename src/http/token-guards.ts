import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RolePermissions } from '../config/permissions.ts'
import { PawlError } from '../errors.ts'
import type { Auth } from '../tokens/auth.ts'
import { challengeOf } from './challenges.ts'
import { refusalOf } from './demands.ts'
import type { Guards } from './guards.ts'

export interface TokenGuardsOptions {
  /** Returns who the bearer of a token is. With `fresh` it asks the stores as well. */
  authenticate: (token: string, fresh: boolean) => Promise<Auth>
  /** Returns the token of a request, or undefined if it has none. */
  bearerToken: (request: FastifyRequest) => string | undefined
  /** The permissions of each role. */
  rolePermissions: RolePermissions
  /** Called with the error before it is thrown, because only some routes have Pawl's handler. */
  onRefused?: (request: FastifyRequest, error: unknown) => void
  /** Returns milliseconds since 1970. */
  clock: () => number
}

/** Creates the preHandlers that set `request.auth`, or respond with 401, 403 or 503. */
export function createTokenGuards(options: TokenGuardsOptions): Guards {
  const { authenticate, bearerToken, rolePermissions, onRefused, clock } = options

  async function check(
    request: FastifyRequest,
    reply: FastifyReply,
    fresh: boolean,
  ): Promise<Auth> {
    try {
      const token = bearerToken(request)
      if (!token) throw new PawlError('AUTH_MISSING_TOKEN')
      const auth = await authenticate(token, fresh)
      request.auth = auth
      return auth
    } catch (error) {
      onRefused?.(request, error)
      throw withChallenge(reply, error)
    }
  }

  return {
    async authenticate(request, reply) {
      await check(request, reply, false)
    },

    authorize: (demand) => async (request, reply) => {
      const auth = await check(request, reply, demand.fresh)
      const refusal = refusalOf(demand, auth, rolePermissions, clock())
      if (!refusal) return
      onRefused?.(request, refusal)
      throw withChallenge(reply, refusal)
    },
  }
}

/** Sets the challenge here, because an application may have an error handler of its own. */
function withChallenge(reply: FastifyReply, error: unknown): unknown {
  const challenge = error instanceof PawlError ? challengeOf(error) : undefined
  if (challenge) reply.header('www-authenticate', challenge)
  return error
}
