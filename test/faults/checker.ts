import { acceptedAfterEnd } from './checks/accepted-after-end.ts'
import { bothServed } from './checks/both-served.ts'
import { excessGuesses } from './checks/excess-guesses.ts'
import { forks } from './checks/forks.ts'
import { honestLogouts } from './checks/honest-logouts.ts'
import { checkMails } from './checks/mails.ts'
import type { Event, Fault, Guess, MailRequest } from './record.ts'
import { bySession, isAnswered, type Rules } from './session-record.ts'

/** The violations: what must not happen, as one sentence each that names the session. */
export interface Violations {
  /** P3, P5: an honest client was refused. */
  honestLogouts: string[]
  /** P4, P6: a token of a session that had ended was accepted. */
  revokedAccepted: string[]
  /** P1: a generation had two successors. */
  forks: string[]
  /** P2: thief and victim were both served for too long. */
  bothServed: string[]
  /** Mails that were committed and never accepted by the mail server. */
  mailsLost: string[]
  /** Mails that were accepted after a later one of the same user. */
  mailsDisordered: string[]
  /** Passwords that were checked although the limit of the account was reached. */
  guessesBeyond: string[]
  /** Responses that no client should ever get, and servers that crashed. */
  errors: string[]
}

interface Figures {
  sessions: number
  refreshes: number
  accesses: number
  /** The number of sessions in which a thief was served. */
  thefts: number
  /** The number of those sessions that were seen to end. */
  theftsFound: number
  endings: number
  unavailable: number
  mails: number
  /** Mails that arrived more often than once count each further time. */
  mailCopies: number
  guesses: number
  guessesChecked: number
  faults: number
}

export interface Verdict {
  figures: Figures
  violations: Violations
}

const EXPECTED = new Set([0, 200, 201, 204, 401, 503])
const EXPECTED_OF_MAILS = new Set([0, 202, 503])
const EXPECTED_OF_GUESSES = new Set([0, 401, 429, 503])

/**
 * Judges a record. Only responses that arrived prove anything. If the order of two events cannot be
 * told from the times at which they began and ended, the checker assumes the order that is correct.
 */
export function check(events: readonly Event[], rules: Rules): Verdict {
  const faults = events.filter((event): event is Fault => event.kind === 'fault')
  const requests = events.filter(isAnswered)
  const mailRequests = events.filter((event): event is MailRequest => event.kind === 'mail-request')
  const guesses = events.filter((event): event is Guess => event.kind === 'guess')
  const mails = checkMails(events)
  const crashes = events.filter((event) => event.kind === 'crash')
  const sessions = bySession(events)
  const violations: Violations = {
    honestLogouts: sessions.flatMap((session) => honestLogouts(session, faults, rules)),
    revokedAccepted: sessions.flatMap((session) => acceptedAfterEnd(session, faults, rules)),
    forks: sessions.flatMap((session) => forks(session, faults)),
    bothServed: sessions.flatMap((session) => bothServed(session, faults, rules)),
    mailsLost: mails.lost,
    mailsDisordered: mails.disordered,
    guessesBeyond: excessGuesses(guesses),
    errors: [
      ...requests
        .filter(({ status }) => !EXPECTED.has(status))
        .map(
          ({ kind, session, status, start }) =>
            `${kind} of ${session} at ${Math.round(start)}: ${status}`,
        ),
      ...mailRequests
        .filter(({ status }) => !EXPECTED_OF_MAILS.has(status))
        .map(({ status, start }) => `request of a mail at ${Math.round(start)}: ${status}`),
      ...guesses
        .filter(({ status }) => !EXPECTED_OF_GUESSES.has(status))
        .map(({ status, start }) => `guess at ${Math.round(start)}: ${status}`),
      ...crashes.map(({ start }) => `a server ended by itself before ${Math.round(start)}`),
    ],
  }
  const stolen = sessions.filter(({ refreshes }) =>
    refreshes.some(({ party, status }) => party === 'thief' && status === 200),
  )
  const figures: Figures = {
    sessions: sessions.length,
    refreshes: requests.filter(({ kind, status }) => kind === 'refresh' && status === 200).length,
    accesses: requests.filter(({ kind, status }) => kind === 'access' && status === 200).length,
    thefts: stolen.length,
    theftsFound: stolen.filter(({ endedAt }) => endedAt !== undefined).length,
    endings: sessions.filter(({ endedAt }) => endedAt !== undefined).length,
    unavailable: [...requests, ...mailRequests, ...guesses].filter(
      ({ status }) => status === 503 || status === 0,
    ).length,
    mails: mails.count,
    mailCopies: mails.copies,
    guesses: guesses.length,
    guessesChecked: guesses.filter(({ status }) => status === 401).length,
    faults: faults.length,
  }
  return { figures, violations }
}

export function isClean({ violations }: Verdict): boolean {
  return Object.values(violations).every((found) => found.length === 0)
}
