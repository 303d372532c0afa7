import { and, desc, eq, gt, inArray, isNotNull, isNull, lt, lte, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { epochs, sessions, userRevocations, users } from '../db/schema.ts'
import type { Authorization } from '../sessions/session-store.ts'
import type { Revocation } from './revocations.ts'

/** Something that has ended, as it stands in Postgres: what to close in the hot state, and to tell the nodes. */
export type CommittedRevocation =
  | { kind: 'session'; sessionId: string; userId: string }
  /** His access tokens below this authorization, and where `sessionsEnded` his sessions; all but those of `except`. */
  | {
      kind: 'user'
      userId: string
      authorization: Authorization
      sessionsEnded: boolean
      except?: string
    }
  /** Every session opened before; milliseconds since the epoch. */
  | { kind: 'everything'; before: number }

export type OnCommit = (tx: Pick<Database['orm'], 'execute'>) => Promise<void>

export type RevocationRecords = ReturnType<typeof createRevocationRecords>

/** Where the truth has what ended: for nodes that may have missed it, and for the sweep. */
export function createRevocationRecords({ orm, query }: Database) {
  const ago = (ms: number) => sql`now() - ${`${ms} milliseconds`}::interval`

  async function read(
    conditions: { [K in 'session' | 'user' | 'epoch']: ReturnType<typeof and> },
    most: number,
  ) {
    const session = { sessionId: sessions.id, userId: sessions.userId }
    const ended = await query(
      orm.select(session).from(sessions).where(conditions.session).limit(most),
    )
    const user = { revocation: userRevocations, ver: users.ver, roles: users.roles }
    const changed = await query(
      orm
        .select(user)
        .from(userRevocations)
        .leftJoin(users, eq(users.id, userRevocations.userId))
        .where(conditions.user)
        .limit(most),
    )
    const begun = await query(orm.select().from(epochs).where(conditions.epoch))
    return [
      ...ended.map((one): CommittedRevocation => ({ kind: 'session', ...one })),
      ...changed.map(({ revocation, ver, roles }): CommittedRevocation => {
        const { userId, sessionsEnded, exceptSession } = revocation
        const authorization = { ver: ver ?? revocation.ver, roles: roles ?? [] }
        return {
          kind: 'user',
          userId,
          authorization,
          sessionsEnded,
          ...(exceptSession && { except: exceptSession }),
        }
      }),
      ...begun.map(
        ({ startedAt }): CommittedRevocation => ({
          kind: 'everything',
          before: startedAt.getTime(),
        }),
      ),
    ]
  }

  return {
    /** What ended less than so many milliseconds ago. */
    findRecent(ms: number): Promise<CommittedRevocation[]> {
      const since = ago(ms)
      return read(
        {
          session: gt(sessions.revokedAt, since),
          user: gt(userRevocations.at, since),
          epoch: gt(epochs.at, since),
        },
        NO_LIMIT,
      )
    },

    /** What ended, longer than so many milliseconds ago, by a process that then told nobody. */
    findUnpublished(ms: number, most: number): Promise<CommittedRevocation[]> {
      const before = ago(ms)
      return read(
        {
          session: and(
            isNotNull(sessions.revokedAt),
            isNull(sessions.publishedAt),
            lt(sessions.revokedAt, before),
          ),
          user: and(isNull(userRevocations.publishedAt), lt(userRevocations.at, before)),
          epoch: and(isNull(epochs.publishedAt), lt(epochs.at, before)),
        },
        most,
      )
    },

    /**
     * Every session opened before what this answers is dead: after the newest there is, and after `at`. `onCommit` is in the
     * same transaction: it writes down who did it.
     */
    async revokeAll(at: number, onCommit: OnCommit = async () => {}): Promise<number> {
      const newest = orm
        .select({ at: sessions.createdAt })
        .from(sessions)
        .orderBy(desc(sessions.id))
        .limit(1)
      const [last] = await query(newest)
      const startedAt = new Date(Math.max(at, last?.at.getTime() ?? 0) + EPOCH_MARGIN)
      await query(
        orm.transaction(async (tx) => {
          await tx.insert(epochs).values({ startedAt, at: sql`now()` }).onConflictDoNothing()
          await onCommit(tx)
        }),
      )
      return startedAt.getTime()
    },

    /** Every node has been told of these. */
    async markPublished(ended: readonly CommittedRevocation[]): Promise<void> {
      const publishedAt = sql`now()`
      const ids = ended.flatMap((one) => (one.kind === 'session' ? [one.sessionId] : []))
      if (ids.length > 0)
        await query(orm.update(sessions).set({ publishedAt }).where(inArray(sessions.id, ids)))
      for (const one of ended) {
        if (one.kind === 'user') {
          // A later change of the same user has the row now, and is told of by itself.
          const same = and(
            eq(userRevocations.userId, one.userId),
            lte(userRevocations.ver, one.authorization.ver),
          )
          await query(orm.update(userRevocations).set({ publishedAt }).where(same))
        }
        if (one.kind === 'everything')
          await query(
            orm
              .update(epochs)
              .set({ publishedAt })
              .where(lte(epochs.startedAt, new Date(one.before))),
          )
      }
    },
  }
}

/** Milliseconds by which the nodes' ideas of the time may differ: nothing that was opened before an epoch may outlive it. */
const EPOCH_MARGIN = 100

const NO_LIMIT = 2 ** 31 - 1

/** What every node is told. */
export function revocationOf(ended: CommittedRevocation): Revocation {
  switch (ended.kind) {
    case 'session':
      return { kind: 'session', sessionId: ended.sessionId }
    case 'user': {
      const { userId, authorization, except } = ended
      return { kind: 'user', userId, ver: authorization.ver, ...(except && { except }) }
    }
    case 'everything':
      return ended
  }
}
