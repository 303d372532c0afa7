// What an application gets from Pawl and gives to it. The types are plain, because they are in the
// public declarations: a host need not have the libraries that Pawl uses inside.

/** The two tokens of a session, as a client gets them. The `TokenPair` schema describes it, too. */
export interface TokenPair {
  accessToken: string
  refreshToken: string
  tokenType: 'Bearer'
  /** Life of the access token, in seconds. */
  expiresIn: number
  /** Life of the refresh token, in seconds. */
  refreshExpiresIn: number
  sessionId: string
}

/** A token pair in a response. A refresh token that went into the cookie is not in the body. */
export type DeliveredTokens = Omit<TokenPair, 'refreshToken'> & { refreshToken?: string }

/** A live session, as it is shown to people. Times in milliseconds since 1970. */
export interface SessionView {
  id: string
  createdAt: number
  lastSeenAt: number
  /** The latest time at which the session ends. It ends earlier if it is not refreshed. */
  expiresAt: number
  /** The browser and system that the user agent names, such as "Firefox on Linux". */
  device: string | null
  userAgent: string | null
  ip: string | null
}

export type UserStatus = 'active' | 'disabled'

/** A user as administrators see them. */
export interface UserView {
  id: string
  email?: string
  roles: string[]
  status: UserStatus
  /** A time in the format of RFC 3339. */
  createdAt: string
}

/** A user as the application knows them. What is absent stays as it is. */
export interface ApplicationUser {
  /** 1 to 128 characters of `A-Z a-z 0-9 . _ : @ | -`. */
  id: string
  /** Null removes it. */
  email?: string | null | undefined
  roles?: readonly string[] | undefined
  status?: UserStatus | undefined
}
