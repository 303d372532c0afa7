import { type AccessToken, createAccessTokenHolder } from './access-token.ts'
import type { TokenResponse } from './http.ts'
import type { Platform, TokenStorage } from './platform.ts'
import { createSessionStore, randomId, type StoredSession } from './stored-session.ts'
import type { Change, Reason } from './types.ts'

/** Milliseconds in which another tab responds if it has an access token. */
const HANDOVER_TIMEOUT = 500

/** `ask`: a tab needs an access token. `look`: the stored session has changed. */
type Message = AccessToken | 'ask' | 'look'

/**
 * Creates this tab's view of the session that all tabs share: it stores the session, passes access
 * tokens from tab to tab, and calls the listeners when the user signs in or out.
 */
export function createSharedSession(
  platform: Platform,
  storage: TokenStorage | undefined,
  name: string,
) {
  const store = createSessionStore(storage, name)
  const accessToken = createAccessTokenHolder(platform)
  const channel = platform.createChannel?.(name)
  const listeners = new Set<(change: Change) => void>()
  let lastId: string | undefined
  let isFirstRead = true
  let onAccessToken = () => {}

  /**
   * Reads the stored session and calls the listeners if it is another one than before. `elsewhere`
   * is false if this tab made the change.
   */
  async function sync(elsewhere = true): Promise<StoredSession | undefined> {
    const stored = await store.read()
    const id = stored?.session
    if (id === undefined) {
      isFirstRead = false
      return stored
    }
    if (accessToken.get()?.session !== id) accessToken.clear()
    if (id !== (lastId ?? '')) {
      const reason = id && isFirstRead && elsewhere ? 'restored' : (stored?.why ?? 'login')
      const change: Change = { signedIn: !!id, sessionId: id || undefined, reason, elsewhere }
      for (const listener of listeners) queueMicrotask(() => listener(change))
    }
    lastId = id
    isFirstRead = false
    return stored
  }

  const broadcast = (message: Message) => channel?.postMessage(message)

  async function receive(message: Message): Promise<void> {
    const current = accessToken.get()
    if (message === 'ask') {
      if (current && accessToken.usable()) broadcast(current)
    } else {
      const stored = await sync()
      if (message === 'look' || (stored?.session ?? message.session) !== message.session) return
      if (accessToken.replace(message, false)) onAccessToken()
    }
  }

  const onStorage = ({ key }: { key?: string | null }) => {
    if (!key || key === name) sync().catch(() => {})
  }
  // A page that returns from the back/forward cache missed all events while it was there.
  const events = ['storage', 'pageshow']
  for (const event of events) platform.addEventListener?.(event, onStorage)
  if (channel) channel.onmessage = ({ data }) => void receive(data as Message).catch(() => {})

  sync().catch(() => {})

  return {
    accessToken,
    store,
    sync,
    sessionId: () => lastId || undefined,

    /**
     * Passes new tokens to all tabs. With a reason they also replace the stored session, which they
     * must not if it has changed since they were requested.
     */
    async save(
      { sessionId, refreshToken, accessToken: token, expiresIn }: TokenResponse,
      at: number,
      why?: Reason,
    ): Promise<void> {
      if (why)
        await store.write({ session: sessionId, key: randomId(), token: refreshToken, at, why })
      accessToken.replace({ session: sessionId, token, life: expiresIn * 1_000, at }, !!why)
      await sync(false)
      broadcast(accessToken.get() ?? 'look')
    },

    /** Signs all tabs out. */
    async clear(why: Reason): Promise<void> {
      await store.write({ session: '', key: randomId(), at: 0, why })
      await sync(false)
      broadcast('look')
    },

    /** Waits for another tab to pass on an access token that is newer than ours. */
    async askOtherTabs(): Promise<void> {
      const received = new Promise<void>((resolve) => {
        onAccessToken = resolve
      })
      broadcast('ask')
      if (channel) await Promise.race([received, platform.sleep(HANDOVER_TIMEOUT)])
    },

    onChange(listener: (change: Change) => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },

    close(): void {
      for (const event of events) platform.removeEventListener?.(event, onStorage)
      channel?.close()
    },
  }
}
