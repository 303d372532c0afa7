import type { TokenPair } from '../embedding/views.ts'
import type { Authorization, CurrentToken } from '../sessions/session-store.ts'
import type { AccessTokens } from './access-token.ts'
import type { RefreshTokens } from './refresh-token.ts'
import type { SessionConstants } from './session-constants.ts'

export interface TokenPairSubject {
  userId: string
  sessionId: string
  authorization: Authorization
  constants: SessionConstants
  /** What the application adds to the access token. */
  added?: Readonly<Record<string, unknown>> | undefined
  currentToken: CurrentToken
}

/**
 * Issues a new access token and the session's current refresh token, which is the same string each
 * time. `now` is in milliseconds since 1970.
 */
export function issueTokenPair(
  { accessTokens, refreshTokens }: { accessTokens: AccessTokens; refreshTokens: RefreshTokens },
  subject: TokenPairSubject,
  now: number,
): TokenPair {
  const { sessionId, currentToken } = subject
  const access = accessTokens.issue(subject, now, currentToken.expiresAt)
  const refresh = refreshTokens.issue(subject, now)
  return {
    accessToken: access.token,
    refreshToken: refresh.token,
    tokenType: 'Bearer',
    expiresIn: access.expiresIn,
    refreshExpiresIn: refresh.expiresIn,
    sessionId,
  }
}
