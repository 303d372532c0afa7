import { Webhook } from 'standardwebhooks'
import type { RecordedEvent } from '../events/event.ts'

export interface WebhookTarget {
  /** A user and a password in the URL are sent as Basic credentials. */
  webhookUrl: string
  /** `whsec_…`. Each of them signs: during a rotation the receiver may know either. */
  webhookSecrets: readonly string[]
}

/** Sends one event. Resolves with nothing if the receiver accepted it, or with the failure. */
export type SendEvent = (event: RecordedEvent, signal: AbortSignal) => Promise<string | undefined>

/**
 * Creates the function that sends events, each as one POST signed according to Standard Webhooks.
 * Redirects are not followed, because they would send the event to an address that is not
 * configured. `clock` returns milliseconds since 1970.
 */
export function createSendEvent(
  { webhookUrl, webhookSecrets }: WebhookTarget,
  clock: () => number,
): SendEvent {
  const { url, authorization } = withoutCredentials(webhookUrl)
  const signers = webhookSecrets.map((secret) => new Webhook(secret))

  function signedHeaders(id: string, body: string) {
    const time = new Date(clock())
    return {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(time.getTime() / 1_000)),
      'webhook-signature': signers.map((signer) => signer.sign(id, time, body)).join(' '),
    }
  }

  return async (event, signal) => {
    const body = JSON.stringify(event)
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Pawl',
      ...signedHeaders(event.id, body),
      ...authorization,
    }
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body,
        redirect: 'manual',
        signal,
      })
      // Only the status matters. The body is not read, however long it is.
      response.body?.cancel().catch(() => {})
      return response.ok ? undefined : `status ${response.status}`
    } catch (error) {
      return signal.aborted ? 'no response in time' : errorCodeOf(error)
    }
  }
}

/** Moves the credentials of a URL into a header, since `fetch` refuses a URL that contains them. */
function withoutCredentials(text: string) {
  const url = new URL(text)
  const { username, password } = url
  url.username = ''
  url.password = ''
  if (!username && !password) return { url: url.href, authorization: {} }
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)
  return { url: url.href, authorization: { authorization: `Basic ${basic.toString('base64')}` } }
}

/** Returns the code of an error. Never its message, which may quote the URL. */
function errorCodeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const { code, name } = Object(cause) as { code?: unknown; name?: unknown }
  return String(code ?? name ?? 'unknown')
}
