import { randomUUID } from 'node:crypto'
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import type { FastifyInstance } from 'fastify'
import { authenticate, authOf, authorize, PawlError } from 'pawl'
import { createChallenges } from './challenges.ts'
import { createCodes } from './codes.ts'
import { createRelyingParty, refusal } from './relying-party.ts'
import { CODE, LOGIN, NAME, REGISTRATION } from './schemas.ts'
import { createUsers, type Passkey, type User } from './users.ts'

/** A session that was stolen later must not be enough to add a way in. */
const recentLogin = { preHandler: authorize({ maxAge: '5m' }) }

/** Returns how the user was authenticated, by RFC 8176. */
function amrOf({ deviceType }: Passkey, ...more: 'otp'[]): string[] {
  // A passkey with user verification is two factors: the device, and what unlocks it.
  return [deviceType === 'singleDevice' ? 'hwk' : 'swk', 'user', ...more, 'mfa']
}

/** Registers the routes of this application. */
export async function routes(app: FastifyInstance, { origin }: { origin: string }): Promise<void> {
  const users = createUsers()
  const codes = createCodes()
  const challenges = createChallenges(origin.startsWith('https:'))
  const relyingParty = createRelyingParty(origin)

  function requireUser(id: string): User {
    const user = users.find(id)
    if (!user) throw new PawlError('NOT_FOUND', { detail: 'A restart has lost this account.' })
    return user
  }

  app.post<{ Body: { name: string } }>(
    '/passkeys/signup/options',
    { schema: { body: NAME } },
    async ({ body: { name } }, reply) => {
      const user = { id: randomUUID(), name }
      const options = await relyingParty.registrationOptions(user, [])
      challenges.begin(reply, options.challenge, { purpose: 'signup', user })
      return options
    },
  )

  app.post<{ Body: { response: RegistrationResponseJSON } }>(
    '/passkeys/signup',
    { schema: { body: REGISTRATION } },
    async (request, reply) => {
      const { challenge, user } = challenges.take(request, reply, 'signup')
      const { response } = request.body
      const passkey = await relyingParty.verifyRegistration(user.id, response, challenge)
      if (!users.addPasskey(passkey)) throw refusal()
      users.add(user)
      return app.pawl.sessions.start(request, reply, { user: { id: user.id }, amr: amrOf(passkey) })
    },
  )

  app.post('/passkeys/login/options', async (_request, reply) => {
    const options = await relyingParty.loginOptions()
    challenges.begin(reply, options.challenge, { purpose: 'login' })
    return options
  })

  app.post<{ Body: { response: AuthenticationResponseJSON; code?: string } }>(
    '/passkeys/login',
    { schema: { body: LOGIN } },
    async (request, reply) => {
      const { challenge } = challenges.take(request, reply, 'login')
      const { response, code } = request.body
      const passkey = users.findPasskey(response.id)
      if (!passkey) throw refusal()
      const counter = await relyingParty.verifyLogin(passkey, response, challenge)
      if (!users.raiseCounter(passkey.id, counter)) throw refusal()
      // The passkey comes first, so that no stranger can guess codes, or use up the tries.
      if (code !== undefined) codes.spend(passkey.userId, code)
      return app.pawl.sessions.start(request, reply, {
        user: { id: passkey.userId },
        amr: code === undefined ? amrOf(passkey) : amrOf(passkey, 'otp'),
      })
    },
  )

  app.post('/passkeys/addition/options', recentLogin, async (request, reply) => {
    const user = requireUser(authOf(request).userId)
    const options = await relyingParty.registrationOptions(user, users.passkeysOf(user.id))
    challenges.begin(reply, options.challenge, { purpose: 'addition', userId: user.id })
    return options
  })

  app.post<{ Body: { response: RegistrationResponseJSON } }>(
    '/passkeys/addition',
    { ...recentLogin, schema: { body: REGISTRATION } },
    async (request, reply) => {
      const { challenge, userId } = challenges.take(request, reply, 'addition')
      // Somebody else may have signed in at this browser since.
      if (userId !== authOf(request).userId) throw refusal()
      const { response } = request.body
      const passkey = await relyingParty.verifyRegistration(userId, response, challenge)
      if (!users.addPasskey(passkey)) throw refusal()
      return reply.code(204).send()
    },
  )

  app.post('/codes', recentLogin, async (request) => {
    return { uri: codes.enrol(requireUser(authOf(request).userId)) }
  })

  app.post<{ Body: { code: string } }>(
    '/codes/confirmation',
    { ...recentLogin, schema: { body: CODE } },
    async (request, reply) => {
      codes.confirm(authOf(request).userId, request.body.code)
      return reply.code(204).send()
    },
  )

  app.get('/account', { preHandler: authenticate }, async (request) => {
    const { id, name } = requireUser(authOf(request).userId)
    return { name, passkeys: users.passkeysOf(id).length, hasCodes: codes.isOn(id) }
  })

  // A passkey alone does not open this.
  app.get('/vault', { preHandler: authorize({ amr: ['otp'] }) }, async () => {
    return { content: 'the crown jewels' }
  })
}
