/** The lifetime of an access token, and the grace period, in milliseconds. */
const ACCESS_TTL = 900_000
const GRACE = 30_000

interface ModelSession {
  user: string
  generation: number
  key: string
  rotatedAt: number
  isLive: boolean
}

export interface ModelRequest {
  path: string
  headers: Headers
  body: { email?: string; refreshToken?: string } | undefined
  cookie: string | undefined
}

export interface ModelResponse {
  status: number
  content?: object
  /** The new value of the cookie. Empty: the cookie is deleted. */
  cookie?: string
}

const refusal = (status: number, code: string): ModelResponse => ({
  status,
  content: { type: `urn:pawl:problem:${code.toLowerCase()}`, title: code, code },
})

/** Creates a model of Pawl, with the rules of rotation, and of an API that verifies its tokens. */
export function createModelServer(now: () => number) {
  const sessions = new Map<string, ModelSession>()
  const accessTokens = new Map<string, { session: string; expiry: number }>()
  /** Requests to the API with the user of their token, and the user for whom they were made. */
  const received: { user: string; calledFor: string }[] = []
  let count = 0
  let reuses = 0

  function issue(id: string, byCookie: boolean): ModelResponse {
    const token = `access-${count++}`
    accessTokens.set(token, { session: id, expiry: now() + ACCESS_TTL })
    const refreshToken = `${id} ${sessions.get(id)?.generation}`
    const content = { accessToken: token, sessionId: id, expiresIn: ACCESS_TTL / 1_000 }
    return byCookie
      ? { status: 200, content, cookie: refreshToken }
      : { status: 200, content: { ...content, refreshToken } }
  }

  function end(token: string | undefined): void {
    const session = sessions.get(token?.split(' ')[0] ?? '')
    if (session) session.isLive = false
  }

  function refresh(token: string | undefined, key: string, byCookie: boolean): ModelResponse {
    if (!token) return refusal(401, 'AUTH_MISSING_TOKEN')
    const [id = '', generation] = token.split(' ')
    const session = sessions.get(id)
    if (!session?.isLive) return refusal(401, 'AUTH_INVALID_REFRESH_TOKEN')
    if (Number(generation) === session.generation) {
      Object.assign(session, { generation: session.generation + 1, key, rotatedAt: now() })
      return issue(id, byCookie)
    }
    const isPrevious = Number(generation) === session.generation - 1
    const isRetry = session.key === key || now() - session.rotatedAt <= GRACE
    if (isPrevious && isRetry) return issue(id, byCookie)
    session.isLive = false
    reuses++
    return refusal(401, 'AUTH_INVALID_REFRESH_TOKEN')
  }

  function userOf(authorization: string | null): string | undefined {
    const token = accessTokens.get(authorization?.replace('Bearer ', '') ?? '')
    const session = sessions.get(token?.session ?? '')
    return token && token.expiry > now() && session?.isLive ? session.user : undefined
  }

  return {
    sessions,
    received,
    reuses: () => reuses,
    userOfSession: (id: string | undefined) => sessions.get(id ?? '')?.user,
    /** Returns the user of a token, even if it is not valid any more. */
    userOfToken: (token: string) => sessions.get(accessTokens.get(token)?.session ?? '')?.user,
    respond({ path, headers, body, cookie }: ModelRequest): ModelResponse {
      const byCookie = headers.get('x-token-delivery') === 'cookie'
      const token = byCookie ? cookie : body?.refreshToken
      if (path === '/auth/login') {
        if (byCookie) end(cookie)
        const id = `session-${count++}`
        const user = body?.email ?? ''
        sessions.set(id, { user, generation: 1, key: '', rotatedAt: now(), isLive: true })
        return issue(id, byCookie)
      }
      if (path === '/auth/logout') {
        if (!token) return refusal(401, 'AUTH_MISSING_TOKEN')
        end(token)
        return { status: 204, ...(byCookie && { cookie: '' }) }
      }
      if (path === '/auth/refresh')
        return refresh(token, headers.get('idempotency-key') ?? '', byCookie)
      return { status: userOf(headers.get('authorization')) ? 200 : 401 }
    },
  }
}

export type ModelServer = ReturnType<typeof createModelServer>
