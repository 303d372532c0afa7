import { and, eq, gte, inArray, isNull, lt, ne, sql } from 'drizzle-orm'
import type { Database } from '../db/database.ts'
import { epochs, sessions, users } from '../db/schema.ts'
import type { EventDetails } from '../events/event.ts'
import type { KeyRecords } from '../keys/key-records.ts'
import { revoke as revokeKey } from '../keys/lifecycle.ts'
import type { Revocation } from '../revocation/revocations.ts'
import type { SessionEndReason } from '../sessions/session.ts'
import { ACCOUNT_COLUMNS, type Transaction } from '../users/user-records.ts'
import { insertUserRevocation } from '../users/user-revocation.ts'

/** How many revocations Postgres lacked, by what they revoke. */
export type Restored = EventDetails['postgres_went_back']

type Entry<Kind extends Revocation['kind']> = Extract<Revocation, { kind: Kind }>
type UserEntry = Required<Omit<Entry<'user'>, 'except'>> & Pick<Entry<'user'>, 'except'>

const REASON = 'revoked_again' satisfies SessionEndReason

export type LostRevocations = ReturnType<typeof createLostRevocations>

/**
 * Creates what puts revocations back into Postgres that it has lost. Everything can be repeated,
 * and several nodes can do it at the same time.
 */
export function createLostRevocations(
  { orm, query }: Database,
  keyRecords: Pick<KeyRecords, 'change'>,
) {
  async function revokeSessions(entries: Entry<'session'>[]): Promise<number> {
    const ids = entries.map(({ sessionId }) => sessionId)
    if (ids.length === 0) return 0
    const revoked = await query(
      orm
        .update(sessions)
        .set({ revokedAt: sql`now()`, revokedReason: REASON, publishedAt: sql`now()` })
        .where(and(inArray(sessions.id, ids), isNull(sessions.revokedAt)))
        .returning({ id: sessions.id }),
    )
    return revoked.length
  }

  async function changeUsers(entries: UserEntry[]): Promise<number> {
    if (entries.length === 0) return 0
    const ids = entries.map(({ userId }) => userId)
    const found = await query(
      orm.select({ id: users.id, ver: users.ver }).from(users).where(inArray(users.id, ids)),
    )
    const known = new Map(found.map(({ id, ver }) => [id, ver]))
    let changed = 0
    for (const entry of entries) {
      const ver = known.get(entry.userId)
      if (ver === undefined || ver >= entry.ver) continue
      if (await query(orm.transaction((tx) => changeUser(tx, entry)))) changed += 1
    }
    return changed
  }

  async function revokeEverything(entries: Entry<'everything'>[]): Promise<number> {
    const before = Math.max(0, ...entries.map((entry) => entry.before))
    if (before === 0) return 0
    const startedAt = new Date(before)
    const covering = orm.select().from(epochs).where(gte(epochs.startedAt, startedAt)).limit(1)
    if ((await query(covering)).length > 0) return 0
    const row = { startedAt, at: sql`now()`, publishedAt: sql`now()` }
    await query(orm.insert(epochs).values(row).onConflictDoNothing())
    return 1
  }

  async function revokeKeys(entries: Entry<'key'>[]): Promise<number> {
    if (entries.length === 0) return 0
    let revoked = 0
    await keyRecords.change((keys, now) => {
      const after = entries.reduce((state, { kid }) => [...revokeKey(state, kid, now)], [...keys])
      revoked = after.filter(
        ({ kid, revokedAt }) =>
          revokedAt !== null && !keys.find((key) => key.kid === kid)?.revokedAt,
      ).length
      return after
    })
    return revoked
  }

  return {
    /** Revokes again in Postgres whatever it lacks, and returns how much that was. */
    async restore(revocations: readonly Revocation[]): Promise<Restored> {
      const of = <Kind extends Revocation['kind']>(kind: Kind) =>
        revocations.filter((one): one is Entry<Kind> => one.kind === kind)
      return {
        sessions: await revokeSessions(of('session').filter(({ isCommitted }) => isCommitted)),
        users: await changeUsers(of('user').filter(isComplete)),
        everything: await revokeEverything(of('everything')),
        keys: await revokeKeys(of('key')),
      }
    },
  }
}

function isComplete(entry: Entry<'user'>): entry is UserEntry {
  return entry.roles !== undefined && entry.status !== undefined
}

/**
 * Gives a user the version, roles and status that a lost change had committed, and revokes the
 * sessions that it had revoked. A user who had been deleted is disabled instead: that ends as much,
 * and an operator who restored Postgres to get the user back can enable them. Returns false if the
 * user has that version, or a later one.
 */
async function changeUser(
  tx: Transaction,
  { userId, ver, roles, status, sessionsEnded, except }: UserEntry,
): Promise<boolean> {
  const [user] = await tx
    .update(users)
    .set({
      ver,
      status: status === 'active' ? 'active' : 'disabled',
      updatedAt: sql`now()`,
      ...(status !== 'deleted' && { roles: [...roles] }),
    })
    .where(and(eq(users.id, userId), lt(users.ver, ver)))
    .returning(ACCOUNT_COLUMNS)
  if (!user) return false
  // They are left to the sweep, which closes those that were re-opened before this comparison.
  if (sessionsEnded)
    await tx
      .update(sessions)
      .set({ revokedAt: sql`now()`, revokedReason: REASON })
      .where(
        and(
          eq(sessions.userId, userId),
          isNull(sessions.revokedAt),
          // A version is at least the time of its change, and sessions that started later stay.
          lt(sessions.createdAt, new Date(ver)),
          except ? ne(sessions.id, except) : undefined,
        ),
      )
  await insertUserRevocation(tx, user, undefined)
  return true
}
