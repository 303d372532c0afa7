import { duration, wholeNumber } from '../variable.ts'

export const SESSION_VARIABLES = {
  refreshIdleTtl: duration('REFRESH_IDLE_TTL', {
    default: '7d',
    shortest: '1s',
    description: 'How long a session lasts without a refresh.',
  }),
  sessionMaxTtl: duration('SESSION_MAX_TTL', {
    default: '30d',
    shortest: '1s',
    description: 'How long a session lasts at most, however often it is refreshed.',
  }),
  grace: duration('GRACE', {
    default: '30s',
    shortest: '0s',
    description:
      'How long after a refresh the spent token still gets the same successor, for tabs that ' +
      'refresh at the same time and for retries without a key.',
  }),
  revocationMaxStaleness: duration('REVOCATION_MAX_STALENESS', {
    default: '2s',
    shortest: '100ms',
    description:
      "How old a node's knowledge of revocations may be. Beyond this, it responds with 503 to " +
      'requests that need an access token.',
  }),
  maxSessionsPerUser: wholeNumber('MAX_SESSIONS_PER_USER', [1, 1_000], {
    default: '20',
    description:
      'Sessions that a user may have at the same time. One more ends the least recently used.',
  }),
}
