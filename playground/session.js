import { claims, newRetryKey } from './tokens.js'

/**
 * Somebody who holds tokens of the session.
 * @typedef {{ name: 'you' | 'thief', refreshToken: string, accessToken: string, generation: number,
 *   accessExpiry: number, accessLife: number, attempt: { token: string, generation: number, key: string } | null,
 *   lost: boolean }} Holder
 * @typedef {'theft' | 'logout' | 'elsewhere'} Ending
 */

/**
 * One session as this page sees it: who holds what, and how far the server has turned. The server alone decides; this only
 * compares what it answers with what was known before, to say what happened.
 */
export function createSession(call, grace) {
  /** @type {Map<string, Holder>} */
  const holders = new Map()
  const state = {
    grace,
    /** The newest generation that the server has told of, and when. */
    newest: 0,
    turnedAt: 0,
    /** @type {Ending | null} */
    ended: null,
    id: '',
    holders,
    graceLeft: () => (state.newest > 1 ? Math.max(0, state.turnedAt + grace - Date.now()) : 0),
  }

  function take(holder, pair) {
    holder.refreshToken = pair.refreshToken
    holder.accessToken = pair.accessToken
    holder.generation = claims(pair.refreshToken).gen
    holder.accessLife = pair.expiresIn * 1000
    holder.accessExpiry = Date.now() + holder.accessLife
    holder.lost = false
  }

  function add(name) {
    const nothing = {
      refreshToken: '',
      accessToken: '',
      generation: 0,
      accessExpiry: 0,
      accessLife: 1,
    }
    const holder = { name, ...nothing, attempt: null, lost: false }
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
    const { status, answer } = await call({ who: holder.name, ...request })
    if (status === 200) {
      const made = claims(answer.refreshToken).gen
      const turned = made > state.newest
      if (turned) {
        state.newest = made
        state.turnedAt = Date.now()
      }
      if (lost) holder.lost = true
      else take(holder, answer)
      return { ...presented, outcome: turned ? (lost ? 'lost' : 'turned') : 'replayed' }
    }
    if (status !== 401) return { ...presented, outcome: 'unavailable', status }
    if (state.ended) return { ...presented, outcome: 'dead' }
    // To whoever presents it the server never says why. We know what was spent.
    state.ended = generation < state.newest ? 'theft' : 'elsewhere'
    return { ...presented, outcome: state.ended === 'theft' ? 'reused' : 'dead' }
  }

  return {
    state,

    begin(pair) {
      take(add('you'), pair)
      state.id = pair.sessionId
      state.newest = holders.get('you').generation
      state.turnedAt = Date.now()
    },

    steal() {
      const { refreshToken, generation } = holders.get('you')
      Object.assign(add('thief'), { refreshToken, generation })
    },

    /** With a new key: an attempt of its own. */
    refresh(name, lost = false) {
      const holder = holders.get(name)
      const { refreshToken: token, generation } = holder
      holder.attempt = { token, generation, key: newRetryKey() }
      return present(holder, holder.attempt, lost)
    },

    /** The last attempt again, byte for byte. */
    retry(name) {
      const holder = holders.get(name)
      return present(holder, holder.attempt, false)
    },

    ask(name, quiet = false, path = '/auth/me') {
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
