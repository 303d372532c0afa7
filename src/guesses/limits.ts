import type { TallyRule } from './tally.ts'

export interface GuessSettings {
  /** Wrong passwords in a row for one account: from strangers, and again from known clients. */
  guessesPerAccount: number
  /** Wrong passwords in a row for one account from one network, or from one known client. */
  guessesPerClient: number
  /** Wrong passwords in a row from one network, for all accounts together. */
  guessesPerNetwork: number
}

/** The limits that a refusal can be about. */
export type GuessLimit = 'account' | 'client' | 'network' | 'site'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Guesses of strangers at an account until the pauses begin. */
const FREE = 10
/** Milliseconds. */
const LONGEST_PAUSE = 15 * MINUTE
/** Mails to one address within an hour that anybody may cause. */
const MAILS = 5
/** A site has so many times the limit of a network, because it may have many users. */
const SITE_FACTOR = 10

export type GuessRules = ReturnType<typeof createGuessRules>

/** Returns the rules of all limits. `docs/guides/abuse.md` explains them. */
export function createGuessRules(settings: GuessSettings) {
  const { guessesPerAccount, guessesPerClient, guessesPerNetwork } = settings
  return {
    /** All strangers at one account. Its memory is long, so that slow guesses add up, too. */
    strangers: {
      limit: guessesPerAccount,
      memory: DAY,
      free: FREE,
      longestPause: LONGEST_PAUSE,
    },
    /** All known clients of one account. Strangers cannot use it up. */
    known: withoutPauses(guessesPerAccount, DAY),
    /** One network, or one known client, at one account. */
    client: withoutPauses(guessesPerClient, HOUR / guessesPerClient),
    mails: withoutPauses(MAILS, HOUR / MAILS),
    network: withoutPauses(guessesPerNetwork, HOUR / guessesPerNetwork),
    site: withoutPauses(guessesPerNetwork * SITE_FACTOR, HOUR / (guessesPerNetwork * SITE_FACTOR)),
  } satisfies Record<string, TallyRule>
}

/** A rule that allows all guesses at once and then none until they are forgotten. */
function withoutPauses(limit: number, memory: number): TallyRule {
  return { limit, memory: Math.ceil(memory), free: limit, longestPause: 0 }
}
