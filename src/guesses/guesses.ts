import { createHmac, createSecretKey, hkdfSync } from 'node:crypto'
import type { GuessStore, Settlement, TallyRequest } from './guess-store.ts'
import type { GuessLimit, GuessRules } from './limits.ts'

/** Who guesses. A known client has proved before that it belongs to the account. */
export type Guesser =
  | {
      kind: 'stranger'
      /** An IPv4 address, or the /64 of an IPv6 address. */
      network: string
      /** The /48 of an IPv6 address. IPv4 addresses have none. */
      site: string | undefined
    }
  | { kind: 'known'; client: string }

export type GuessOutcome =
  | {
      outcome: 'reserved'
      /**
       * Takes back the guess, because the password was right or was not checked. Without this call
       * the guess counts as a wrong one, also if this process dies. It never rejects.
       */
      settle(settlement: Settlement): Promise<void>
    }
  /** `retryAfter` in seconds. */
  | { outcome: 'refused'; limit: GuessLimit; retryAfter: number }

export interface GuessesOptions {
  store: GuessStore
  rules: GuessRules
  /** A comma-separated list. The key of the names in the store is derived from the first one. */
  secrets: string
}

/** Tallies under one key of the store. */
interface Count {
  key: string
  tallies: TallyRequest[]
  /** Whether a right password clears the tallies, or takes back only its own guess. */
  isCleared: boolean
}

/** Bytes of a name in the store. */
const NAME_LENGTH = 16

/**
 * Creates the service that limits wrong passwords. A guess is counted before the password is
 * checked, and taken back if it was right, so that guesses at the same time cannot exceed a limit.
 *
 * The store sees neither addresses nor accounts, only their HMAC-SHA-256. An account that does not
 * exist is counted like any other, so a refusal does not tell whether it exists.
 */
export function createGuesses({ store, rules, secrets }: GuessesOptions) {
  const [secret = ''] = secrets.split(',')
  const key = createSecretKey(
    Buffer.from(hkdfSync('sha256', secret.trim(), '', 'pawl guesses', 32)),
  )
  const nameOf = (kind: string, value: string) =>
    createHmac('sha256', key)
      .update(`${kind} ${value}`)
      .digest()
      .subarray(0, NAME_LENGTH)
      .toString('base64url')
  const keyOf = (account: string) => nameOf('account', account.toLowerCase())

  /** The account comes last, because its tallies are the ones that an owner shares. */
  function countsOf(account: string, guesser: Guesser): Count[] {
    const { strangers, known, client, network, site } = rules
    if (guesser.kind === 'known') {
      const tallies = [
        { name: 'account:known', rule: known },
        { name: `client:${nameOf('client', guesser.client)}`, rule: client },
      ]
      return [{ key: keyOf(account), tallies, isCleared: true }]
    }
    const group = (kind: 'network' | 'site', value: string, rule: typeof network): Count => ({
      key: nameOf(kind, value),
      tallies: [{ name: kind, rule }],
      isCleared: false,
    })
    const tallies = [
      { name: 'account:strangers', rule: strangers },
      { name: `client:${nameOf('network', guesser.network)}`, rule: client },
    ]
    return [
      ...(guesser.site === undefined ? [] : [group('site', guesser.site, site)]),
      group('network', guesser.network, network),
      { key: keyOf(account), tallies, isCleared: true },
    ]
  }

  async function settle(counts: Count[], settlement: Settlement): Promise<void> {
    const settled = counts.map(({ key, tallies, isCleared }) => {
      const names = tallies.map(({ name }) => name)
      return store.settle(key, names, isCleared ? settlement : 'returned')
    })
    // If the store is unavailable, the guess stays counted, which is the safe side.
    await Promise.allSettled(settled)
  }

  return {
    /**
     * Counts a guess at the account. Rejects with `AUTH_UNAVAILABLE` if it cannot be counted: then
     * no password may be checked.
     */
    async reserve(account: string, guesser: Guesser): Promise<GuessOutcome> {
      const reserved: Count[] = []
      for (const count of countsOf(account, guesser)) {
        const reservation = await store.reserve(count.key, count.tallies)
        if (reservation.outcome === 'refused') {
          await settle(reserved, 'returned')
          const [limit = ''] = reservation.name.split(':')
          const retryAfter = Math.max(1, Math.ceil(reservation.wait / 1_000))
          return { outcome: 'refused', limit: limit as GuessLimit, retryAfter }
        }
        reserved.push(count)
      }
      return { outcome: 'reserved', settle: (settlement) => settle(reserved, settlement) }
    },

    /**
     * Counts a mail of this purpose, and returns whether it may be sent. A later mail makes the
     * link of an earlier one void, so without a limit a stranger could keep the owner from using
     * any. If the store is unavailable, the mail may be sent: a password is reset without Redis.
     */
    async allowsMail(purpose: string, address: string): Promise<boolean> {
      const request = { name: purpose, rule: rules.mails }
      const key = nameOf('mail', address.toLowerCase())
      const reservation = await store.reserve(key, [request]).catch(() => undefined)
      return reservation?.outcome !== 'refused'
    },

    /**
     * Forgets all guesses at the account, because it has a new password or its owner has proved
     * themselves in another way. Rejects with `AUTH_UNAVAILABLE`.
     */
    forget: (account: string): Promise<void> => store.forget(keyOf(account)),
  }
}
