import type { FastifyInstance } from 'fastify'
import type { Session } from '../../src/schemas/sessions.ts'

type Listed = Awaited<ReturnType<FastifyInstance['sessions']['list']>>[number]

/** Sessions as they are shown; `current` is the id of that which asks. */
export function listSessions(sessions: Listed[], current: string): { sessions: Session[] } {
  const shown = sessions.map(({ createdAt, lastSeenAt, expiresAt, ...session }) => ({
    ...session,
    current: session.id === current,
    createdAt: new Date(createdAt).toISOString(),
    lastSeenAt: new Date(lastSeenAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
  }))
  return { sessions: shown }
}
