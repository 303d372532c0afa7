import { groupBy } from '../group-by.ts'
import type { Event, MailArrived, MailQueued } from '../record.ts'

interface MailVerdict {
  count: number
  /** How often mails arrived again. A mail may arrive more often than once. */
  copies: number
  lost: string[]
  disordered: string[]
}

/**
 * Judges what became of the mails that were committed: each must be accepted at least once, and the
 * mails of one user in their order. Only what the mail server has accepted counts as delivered.
 */
export function checkMails(events: readonly Event[]): MailVerdict {
  const queued = events.filter((event): event is MailQueued => event.kind === 'mail-queued')
  const arrived = events.filter((event): event is MailArrived => event.kind === 'mail-arrived')
  const accepted = new Set(arrived.flatMap(({ mail, isAccepted }) => (isAccepted ? [mail] : [])))
  const left = events.flatMap((event) => (event.kind === 'mail-left' ? [event.mail] : []))
  return {
    count: queued.length,
    copies: arrived.length - new Set(arrived.map(({ mail }) => mail)).size,
    lost: left.filter((mail) => !accepted.has(mail)).map((mail) => `mail ${mail} was lost`),
    disordered: [...groupBy(queued, ({ address }) => address).values()].flatMap((mails) =>
      disorderOf(mails, accepted),
    ),
  }
}

/** `accepted` has the mails in the order in which they were first accepted. */
function disorderOf(mails: readonly MailQueued[], accepted: ReadonlySet<string>): string[] {
  const positions = new Map(mails.map(({ mail, seq }) => [mail, seq]))
  let newest = 0
  return [...accepted].flatMap((mail) => {
    const position = positions.get(mail)
    if (position === undefined) return []
    const isLate = position < newest
    newest = Math.max(newest, position)
    return isLate ? [`mail ${mail} came after a later one of the same user`] : []
  })
}
