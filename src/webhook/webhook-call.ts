import { createHmac } from 'node:crypto'
import type { Delivery } from './webhook-records.ts'

export interface WebhookTarget {
  /** With a user and password in it, those are sent as Basic credentials. */
  webhookUrl: string
  /** Each signs: while one replaces the other, the receiver may know either. */
  webhookSecrets: readonly string[]
}

/** Answers nothing where the receiver took it, or else what went wrong; never rejects. */
export type WebhookCall = (delivery: Delivery, signal: AbortSignal) => Promise<string | undefined>

/** One signed POST. Redirects are not followed: they would take the event to an address that nobody configured. */
export function createWebhookCall(
  { webhookUrl, webhookSecrets }: WebhookTarget,
  clock: () => number,
): WebhookCall {
  const { target, authorization } = withoutCredentials(webhookUrl)

  return async ({ event, attempts }, signal) => {
    const body = JSON.stringify(event)
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Pawl',
      'pawl-event-id': event.id,
      'pawl-attempt': String(attempts),
      'pawl-signature': sign(body, Math.floor(clock() / 1_000), webhookSecrets),
      ...authorization,
    }
    try {
      const response = await fetch(target, {
        method: 'POST',
        headers,
        body,
        redirect: 'manual',
        signal,
      })
      // Not read: however long it is, and whatever it says. The status has arrived, and that was all that matters.
      response.body?.cancel().catch(() => {})
      return response.ok ? undefined : `status ${response.status}`
    } catch (error) {
      return signal.aborted ? 'no answer in time' : reasonOf(error)
    }
  }
}

/** `t` is in seconds; each `v1` is HMAC-SHA256 of `<t>.<body>`, in hexadecimal. */
function sign(body: string, t: number, secrets: readonly string[]): string {
  const signatures = secrets.map((secret) =>
    createHmac('sha256', secret).update(`${t}.${body}`).digest('hex'),
  )
  return [`t=${t}`, ...signatures.map((signature) => `v1=${signature}`)].join(',')
}

/** `fetch` refuses a URL with credentials in it. */
function withoutCredentials(url: string) {
  const target = new URL(url)
  const { username, password } = target
  target.username = ''
  target.password = ''
  if (!username && !password) return { target: target.href, authorization: {} }
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)
  return {
    target: target.href,
    authorization: { authorization: `Basic ${basic.toString('base64')}` },
  }
}

/** A code, and never a message: that may quote the URL. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const { code, name } = Object(cause) as { code?: unknown; name?: unknown }
  return String(code ?? name ?? 'unknown')
}
