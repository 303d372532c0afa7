import { type AccessToken, createAccessTokenHolder } from './access-token.ts'
import type { Tokens } from './http.ts'
import { type Page, type Platform, sleep, type TokenStorage } from './platform.ts'
import { createSessionStore, type StoredSession } from './stored-session.ts'
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
  page: Page,
  storage: TokenStorage | undefined,
  name: string,
) {
  const store = createSessionStore(platform, storage, name)
  const accessToken = createAccessTokenHolder(platform)
  const channel = page.BroadcastChannel && new page.BroadcastChannel(name)
  const listeners = new Set<(change: Change) => void>()
  let lastId: string | undefined
  let hasRead: boolean | undefined
  let onAccessToken = () => {}

  /**
   * Reads the stored session and calls the listeners if it is another one than before. `elsewhere`
   * is false if this tab made the change.
   */
  async function sync(elsewhere = true): Promise<StoredSession | undefined> {
    const stored = await store.read()
    const isRestored = elsewhere && !hasRead
    hasRead = true
    if (stored?.session === undefined) return stored
    const { session: id, why } = stored
    if (accessToken.get()?.session !== id) accessToken.clear()
    if (id !== (lastId ?? '')) {
      const reason = id && isRestored ? 'restored' : why
      const change: Change = { signedIn: !!id, sessionId: id || undefined, reason, elsewhere }
      for (const listener of listeners) queueMicrotask(() => listener(change))
    }
    lastId = id
    return stored
  }

  const broadcast = (message: Message) => channel?.postMessage(message)

  async function receive(message: Message): Promise<void> {
    if (message === 'ask') {
      const current = accessToken.valid(undefined, true)
      if (current) broadcast(current)
    } else {
      const stored = await sync()
      // A client that does not share the record must not get the token of another user.
      const isOurs = message !== 'look' && stored?.session === message.session
      if (isOurs && accessToken.replace(message)) onAccessToken()
    }
  }

  const onEvent = () => {
    sync().catch(() => {})
  }
  // A page that returns from the back/forward cache missed all events while it was there.
  const types = ['storage', 'pageshow']
  for (const type of types) page.addEventListener?.(type, onEvent)
  if (channel) channel.onmessage = ({ data }) => void receive(data as Message).catch(() => {})

  onEvent()

  return {
    accessToken,
    store,
    sync,
    /** Returns the id as far as this tab knows. Empty: signed out. Undefined: not known. */
    id: () => lastId,

    /**
     * Passes new tokens to all tabs. With a reason they also replace the stored session, which they
     * must not if it has changed since they were requested.
     */
    async save({ access, refreshToken: token }: Tokens, why?: Reason): Promise<void> {
      if (why) await store.write({ session: access.session, token, at: access.at, why })
      accessToken.replace(access, why)
      await sync(false)
      broadcast(accessToken.get() ?? 'look')
    },

    /** Signs all tabs out. */
    async clear(why: Reason): Promise<void> {
      await store.write({ session: '', why })
      await sync(false)
      broadcast('look')
    },

    /** Waits for another tab to pass on an access token that is newer than ours. */
    async ask(): Promise<void> {
      const received = new Promise<void>((resolve) => {
        onAccessToken = resolve
      })
      broadcast('ask')
      if (channel) await Promise.race([received, sleep(platform, HANDOVER_TIMEOUT)])
    },

    onChange(listener: (change: Change) => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },

    close(): void {
      for (const type of types) page.removeEventListener?.(type, onEvent)
      channel?.close()
    },
  }
}
