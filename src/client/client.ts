import { type Access, createAccess } from './access.ts'
import { PawlClientError } from './error.ts'
import { createCalls, persist, type Tokens } from './http.ts'
import { browserPlatform } from './platform.ts'
import { createTurns } from './refresh-lock.ts'
import { createRecord, type Kept, newKey } from './stored-session.ts'
import type { Change, Client, ClientOptions, Credentials, Reason } from './types.ts'

/** Milliseconds in which another tab that has an access token hands it over. */
const HAND_OVER = 500
/** Milliseconds for which it is worth asking: tabs that were opened together. */
const RECENT = 5_000

type Message = Access | 'ask' | 'look'

/** One for a page. The tabs of an origin that give the same `baseUrl` are signed in and out together. */
export function createClient({ baseUrl, storage, origins = [], ...given }: ClientOptions): Client {
  const platform = { ...browserPlatform(), ...given.platform }
  const { wall, href } = platform
  const base = new URL(baseUrl, href).href.replace(/\/+$/, '')
  const name = `pawl ${base}`
  const shared = storage ?? platform.storage
  const record = createRecord(shared, name)
  const inTurn = createTurns(platform, shared, name)
  const call = createCalls(platform, base, !storage)
  const access = createAccess(platform)
  const channel = platform.createChannel?.(name)
  const listeners = new Set<(change: Change) => void>()
  const trusted = [base, href ?? base, ...origins].map((url) => new URL(url).origin)
  let seen: string | undefined
  let isFirst = true
  let turning: Promise<void> | undefined
  let received = () => {}

  /** What the tabs know together. Whoever listens is told of what is new in it. */
  async function look(elsewhere = true): Promise<Kept | undefined> {
    const kept = await record.read()
    const session = kept?.session
    if (session === undefined) {
      isFirst = false
      return kept
    }
    if (access.get()?.session !== session) access.drop()
    if (session !== (seen ?? '')) {
      const reason = session && isFirst && elsewhere ? 'restored' : (kept?.why ?? 'login')
      const change: Change = {
        signedIn: !!session,
        sessionId: session || undefined,
        reason,
        elsewhere,
      }
      for (const listener of listeners) queueMicrotask(() => listener(change))
    }
    seen = session
    isFirst = false
    return kept
  }

  const say = (message: Message) => channel?.postMessage(message)

  async function hear(message: Message): Promise<void> {
    const held = access.get()
    if (message === 'ask') {
      if (held && access.usable()) say(held)
    } else {
      const kept = await look()
      if (message === 'look' || (kept?.session ?? message.session) !== message.session) return
      if (access.hold(message, false)) received()
    }
  }

  /** Takes an answer over for all tabs. */
  async function keep(
    { sessionId, refreshToken, accessToken, expiresIn }: Tokens,
    at: number,
    why?: Reason,
  ) {
    if (why) await record.write({ session: sessionId, key: newKey(), token: refreshToken, at, why })
    access.hold({ session: sessionId, token: accessToken, life: expiresIn * 1_000, at }, !!why)
    await look(false)
    say(access.get() ?? 'look')
  }

  async function end(why: Reason): Promise<void> {
    await record.write({ session: '', key: newKey(), at: 0, why })
    await look(false)
    say('look')
  }

  /** Waits for another tab to hand over an access token that is newer than ours. */
  async function ask(): Promise<void> {
    const answer = new Promise<void>((resolve) => {
      received = resolve
    })
    say('ask')
    if (channel) await Promise.race([answer, platform.sleep(HAND_OVER)])
  }

  async function turn(refused: string | undefined, waited: boolean): Promise<void> {
    const isDone = (kept: Kept | undefined) => kept?.session === '' || access.usable(refused)
    let kept = await look()
    if (isDone(kept)) return
    const at = kept?.at ?? 0
    if (waited || ((access.get()?.at ?? 0) < at && Math.abs(wall() - at) < RECENT)) {
      await ask()
      kept = await look()
      if (isDone(kept)) return
    }
    if (!kept) {
      if (storage) return
      // Only the server can tell. The key is there before the request, for whoever has to repeat it.
      kept = { key: newKey(), at: 0, why: 'restored' }
      await record.write(kept)
    }
    await refresh(kept)
  }

  /** The answer takes the place of what was asked with, unless that has been replaced meanwhile. */
  async function refresh({ key, token, session, why }: Kept): Promise<void> {
    const at = wall()
    const answer = await call('refresh', token && { refreshToken: token }, key).catch(unless401)
    const now = await record.read()
    if (now?.key === key)
      return answer ? keep(answer, at, session ? why : 'restored') : end('ended')
    // Signed out or in again, or the session goes on by another tab: then the answer says nothing of what there is now.
    if (!answer || now?.session !== answer.sessionId) throw new PawlClientError(0, {}, 0)
    await keep(answer, at)
  }

  async function obtain(refused?: string): Promise<string | undefined> {
    const kept = await look()
    if (kept?.session === '') return undefined
    const usable = access.usable(refused)
    if (usable) return usable
    turning ??= persist(platform, () => inTurn((waited) => turn(refused, waited))).finally(() => {
      turning = undefined
    })
    const alive = access.alive(refused)
    // Ahead of expiry nobody has to wait, nor to hear that it did not work yet.
    if (alive) turning.catch(() => {})
    else await turning
    return alive ?? access.alive(refused)
  }

  function enter(path: string, { email, password }: Credentials): Promise<{ sessionId: string }> {
    return inTurn(async () => {
      const at = wall()
      const answer = (await call(path, { email, password })) as Tokens
      await keep(answer, at, 'login')
      return { sessionId: answer.sessionId }
    })
  }

  const onStorage = ({ key }: { key?: string | null }) => {
    if (!key || key === name) look().catch(() => {})
  }
  // A page that comes back from where browsers keep those that one has left has heard nothing there.
  const events = ['storage', 'pageshow']
  for (const event of events) platform.addEventListener?.(event, onStorage)
  if (channel) channel.onmessage = ({ data }) => void hear(data as Message).catch(() => {})

  look().catch(() => {})

  return {
    get sessionId() {
      return seen || undefined
    },
    signup: (credentials) => enter('signup', credentials),
    login: (credentials) => enter('login', credentials),
    logout: () =>
      persist(platform, () =>
        inTurn(async () => {
          const kept = await look()
          if (kept ? kept.session === '' : storage) return
          await call('logout', kept?.token && { refreshToken: kept.token }).catch(unless401)
          await end('logout')
        }),
      ),
    token: () => obtain(),
    refresh: () => obtain(access.get()?.token),
    async fetch(input, init) {
      const request = new Request(input, init)
      const isOurs =
        trusted.includes(new URL(request.url).origin) && !request.headers.has('authorization')
      const send = (token?: string) => {
        const copy = request.clone()
        if (token) copy.headers.set('authorization', `Bearer ${token}`)
        return platform.fetch(copy)
      }
      const token = isOurs ? await obtain() : undefined
      const answer = await send(token)
      const next = token && answer.status === 401 ? await obtain(token) : undefined
      return next ? send(next) : answer
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      for (const event of events) platform.removeEventListener?.(event, onStorage)
      channel?.close()
    },
  }
}

/** A 401 is an answer: there is no such session. */
function unless401(error: PawlClientError): undefined {
  if (error.status !== 401) throw error
}
