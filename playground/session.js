import { decodeClaims, newRetryKey } from './tokens.js'

/**
 * Somebody who holds tokens of the session. `accessExpiry` is in milliseconds since 1970, and
 * `accessLifetime` in milliseconds.
 * @typedef {{ token: string, generation: number, key: string }} Attempt
 * @typedef {{ name: 'you' | 'thief', refreshToken: string, accessToken: string, generation: number,
 *   accessExpiry: number, accessLifetime: number, attempt: Attempt | null,
 *   hasLostResponse: boolean }} Holder
 * @typedef {'theft' | 'logout' | 'elsewhere'} EndReason
 */

/**
 * Creates this page's view of one session: who holds which token, and the newest generation. Only
 * the server decides. This compares its responses with earlier ones to tell what happened.
 */
export function createSession(call, grace) {
  /** @type {Map<string, Holder>} */
  const holders = new Map()
  const state = {
    grace,
    /** The newest generation that the server has returned, and when it did. */
    newest: 0,
    turnedAt: 0,
    /** @type {EndReason | null} */
    ended: null,
    id: '',
    holders,
    graceLeft: () => (state.newest > 1 ? Math.max(0, state.turnedAt + grace - Date.now()) : 0),
  }

  function store(holder, pair) {
    holder.refreshToken = pair.refreshToken
    holder.accessToken = pair.accessToken
    holder.generation = decodeClaims(pair.refreshToken).gen
    holder.accessLifetime = pair.expiresIn * 1000
    holder.accessExpiry = Date.now() + holder.accessLifetime
    holder.hasLostResponse = false
  }

  function add(name) {
    const empty = {
      refreshToken: '',
      accessToken: '',
      generation: 0,
      accessExpiry: 0,
      accessLifetime: 1,
    }
    const holder = { name, ...empty, attempt: null, hasLostResponse: false }
    holders.set(name, holder)
    return holder
  }

  async function present(holder, attempt, lost) {
    const { token, key, generation } = attempt
    const presented = { generation, newest: state.newest, age: Date.now() - state.turnedAt }
    const request = {
      method: 'POST',
      path: '/auth/refresh',
      body: { refreshToken: token },
      key,
      lost,
    }
    const { status, result } = await call({ who: holder.name, ...request })
    if (status === 200) {
      const returned = decodeClaims(result.refreshToken).gen
      const isRotated = returned > state.newest
      if (isRotated) {
        state.newest = returned
        state.turnedAt = Date.now()
      }
      if (lost) holder.hasLostResponse = true
      else store(holder, result)
      return { ...presented, outcome: isRotated ? (lost ? 'lost' : 'rotated') : 'replayed' }
    }
    if (status !== 401) return { ...presented, outcome: 'unavailable', status }
    if (state.ended) return { ...presented, outcome: 'refused' }
    // The server never gives the reason, but this page knows which generations are spent.
    state.ended = generation < state.newest ? 'theft' : 'elsewhere'
    return { ...presented, outcome: state.ended === 'theft' ? 'reused' : 'refused' }
  }

  return {
    state,

    start(pair) {
      store(add('you'), pair)
      state.id = pair.sessionId
      state.newest = holders.get('you').generation
      state.turnedAt = Date.now()
    },

    steal() {
      const { refreshToken, generation } = holders.get('you')
      Object.assign(add('thief'), { refreshToken, generation })
    },

    /** Refreshes with a new key, as an attempt of its own. */
    refresh(name, lost = false) {
      const holder = holders.get(name)
      const { refreshToken: token, generation } = holder
      holder.attempt = { token, generation, key: newRetryKey() }
      return present(holder, holder.attempt, lost)
    },

    /** Repeats the last attempt with its key. */
    retry(name) {
      const holder = holders.get(name)
      return present(holder, holder.attempt, false)
    },

    callApi(name, quiet = false, path = '/auth/me') {
      const token = holders.get(name).accessToken
      return call({ who: name, method: 'GET', path, token, quiet })
    },

    async logOut(name) {
      const body = { refreshToken: holders.get(name).refreshToken }
      const { status } = await call({ who: name, method: 'POST', path: '/auth/logout', body })
      if (status === 204) state.ended ??= 'logout'
      return status
    },

    async end(id) {
      const token = holders.get('you').accessToken
      const { status } = await call({
        who: 'you',
        method: 'DELETE',
        path: `/auth/sessions/${id}`,
        token,
      })
      if (status === 204 && id === state.id) state.ended ??= 'logout'
      return status
    },
  }
}
