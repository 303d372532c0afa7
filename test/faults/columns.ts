import type { Trial } from './trial.ts'

export interface Column {
  title: string
  meaning: string
  value(trial: Trial): number | string
  /** Whether the last row shows the sum of the column. */
  sums?: boolean
  /** Whether the column holds text instead of a number. */
  isText?: boolean
}

/** Returns a time as the report shows it. */
export const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

const FAULT: Column = {
  title: 'fault',
  meaning: 'the fault that was injected, again and again, at random moments',
  value: ({ fault }) => fault.name,
  isText: true,
}

const INJECTED: Column = {
  title: 'injected',
  meaning: 'the number of injections; each time the servers had time to recover',
  value: ({ figures }) => figures.faults,
  sums: true,
}

const ERRORS: Column = {
  title: '**errors**',
  meaning:
    'responses that no client should get, such as 500, and server processes that crashed: must be 0',
  value: ({ violations }) => violations.errors.length,
  sums: true,
}

const RECOVERY: Column = {
  title: 'recovery',
  meaning:
    'the longest time from the start of a fault until every server was ready, including the fault',
  value: ({ slowestRecovery }) => seconds(slowestRecovery),
}

/** The columns of the trials whose clients use sessions. */
export const SESSION_COLUMNS: readonly Column[] = [
  {
    title: 'Redis',
    meaning: 'the form of Redis',
    value: ({ topology }) => topology.name,
    isText: true,
  },
  FAULT,
  INJECTED,
  {
    title: 'sessions',
    meaning: 'sessions started',
    value: ({ figures }) => figures.sessions,
    sums: true,
  },
  {
    title: 'refreshes',
    meaning: 'refreshes that got a token pair',
    value: ({ figures }) => figures.refreshes,
    sums: true,
  },
  {
    title: 'requests',
    meaning: 'requests with an access token that were accepted',
    value: ({ figures }) => figures.accesses,
    sums: true,
  },
  {
    title: '503',
    meaning: 'requests that got 503, or no response',
    value: ({ figures }) => figures.unavailable,
    sums: true,
  },
  {
    title: 'thefts',
    meaning: 'sessions in which a thief got a token pair',
    value: ({ figures }) => figures.thefts,
    sums: true,
  },
  {
    title: 'found',
    meaning: 'the number of those sessions that ended for that reason during the run',
    value: ({ figures }) => figures.theftsFound,
    sums: true,
  },
  {
    title: '**honest log-outs**',
    meaning:
      'sessions without a thief that ended although the owner had not logged out, unless Postgres had lost the sign-up, or the clock of Redis was set during the grace period: must be 0',
    value: ({ violations }) => violations.honestLogouts.length,
    sums: true,
  },
  {
    title: '**revoked, accepted**',
    meaning:
      'sessions with a refresh token that was accepted after the acknowledged end, or an access token that was accepted later than the staleness bound after it: must be 0',
    value: ({ violations }) => violations.revokedAccepted.length,
    sums: true,
  },
  {
    title: '**two successors**',
    meaning:
      'generations with two different successors, without a fault that lost the write in between: must be 0',
    value: ({ violations }) => violations.forks.length,
    sums: true,
  },
  {
    title: '**both served**',
    meaning:
      'sessions in which thief and victim were both served after the second refresh that came more than the grace period after the other’s, without a fault that lost the write in between: must be 0',
    value: ({ violations }) => violations.bothServed.length,
    sums: true,
  },
  ERRORS,
  RECOVERY,
]

/** The columns of the trials whose clients ask for mails or guess passwords. */
export const OTHER_COLUMNS: readonly Column[] = [
  {
    title: 'clients',
    meaning: 'what the clients do',
    value: ({ topology }) => topology.name,
    isText: true,
  },
  FAULT,
  INJECTED,
  {
    title: 'mails',
    meaning: 'mails that were committed to the outbox',
    value: ({ figures }) => figures.mails,
    sums: true,
  },
  {
    title: 'copies',
    meaning: 'how often a mail arrived again, which is allowed',
    value: ({ figures }) => figures.mailCopies,
    sums: true,
  },
  {
    title: 'guesses',
    meaning: 'wrong passwords that were sent',
    value: ({ figures }) => figures.guesses,
    sums: true,
  },
  {
    title: 'checked',
    meaning: 'the number of those that were checked, which got 401',
    value: ({ figures }) => figures.guessesChecked,
    sums: true,
  },
  {
    title: '503',
    meaning: 'requests that got 503, or no response',
    value: ({ figures }) => figures.unavailable,
    sums: true,
  },
  {
    title: '**lost**',
    meaning: 'mails that were committed and that the mail server never accepted: must be 0',
    value: ({ violations }) => violations.mailsLost.length,
    sums: true,
  },
  {
    title: '**disordered**',
    meaning:
      'mails that the mail server first accepted after a later one of the same user: must be 0',
    value: ({ violations }) => violations.mailsDisordered.length,
    sums: true,
  },
  {
    title: '**beyond the limit**',
    meaning:
      'passwords that were checked although the strangers at the account had used up their guesses ([limits](guides/abuse.md)): must be 0',
    value: ({ violations }) => violations.guessesBeyond.length,
    sums: true,
  },
  ERRORS,
  RECOVERY,
]
