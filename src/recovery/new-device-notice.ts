import { and, eq, ne } from 'drizzle-orm'
import type { BackgroundTasks } from '../common/background-tasks.ts'
import type { Database } from '../db/database.ts'
import { sessions } from '../db/schema.ts'
import { insertNotice } from '../mail/outbox.ts'
import type { Device } from '../sessions/device.ts'
import type { SessionRef } from '../sessions/session.ts'

export interface NewDeviceNoticeOptions {
  database: Database
  background: Pick<BackgroundTasks, 'add'>
  /** Is called after a commit that has queued a mail. */
  onMail: () => void
  /** Returns milliseconds since 1970. */
  clock: () => number
}

/** Queues the notice about a login after its response. Never throws. */
export type NoticeNewDevice = (session: SessionRef, device: Device) => void

/**
 * Creates what sends a notice if a device has logged in that is new to the account. The first login
 * of a user gets none.
 */
export function createNewDeviceNotice(options: NewDeviceNoticeOptions): NoticeNewDevice {
  const { database, background, onMail, clock } = options
  const { orm, query } = database

  async function queue({ userId, sessionId }: SessionRef, at: number, device: Device) {
    const isOther = and(eq(sessions.userId, userId), ne(sessions.id, sessionId))
    const others = orm.select({ id: sessions.id }).from(sessions).where(isOther).limit(1)
    if ((await query(others)).length === 0) return
    await query(insertNotice(orm, { purpose: 'new-device', userId, at, device }))
    onMail()
  }

  return (session, device) => {
    const at = clock()
    try {
      background.add(() => queue(session, at, device))
    } catch {
      // Too much work waits. The session has started, so the login succeeds without the notice.
    }
  }
}
