import { isLoopbackName } from '../http/origins.ts'

/** Where and how mails are handed over. */
export interface SmtpTarget {
  host: string
  port: number
  /** Whether the connection begins with TLS. */
  isSecure: boolean
  /** Whether STARTTLS is demanded before the password and the mail are sent. */
  needsStartTls: boolean
  auth?: { user: string; pass: string }
}

const PORTS: Readonly<Record<string, number>> = { 'smtp:': 587, 'smtps:': 465 }

/**
 * Reads an SMTP_URL such as `smtp://user:password@mail.example.com:587`. Returns undefined if it is
 * not one. A parameter other than `starttls=off` is refused, because it would do nothing.
 */
export function parseSmtpUrl(text: string): SmtpTarget | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const defaultPort = PORTS[url.protocol]
  const hasPath = url.pathname !== '' && url.pathname !== '/'
  if (defaultPort === undefined || !url.hostname || hasPath || url.hash) return undefined
  const parameters = [...url.searchParams]
  const isOff = url.search === '?starttls=off'
  if (parameters.length > 0 && !isOff) return undefined
  const auth = credentialsOf(url)
  if (auth === null) return undefined
  const isSecure = url.protocol === 'smtps:'
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port ? Number(url.port) : defaultPort,
    isSecure,
    needsStartTls: !isSecure && !isOff && !isLoopbackName(url.hostname),
    ...(auth && { auth }),
  }
}

/** Returns undefined if there are none, and null if they cannot be decoded. */
function credentialsOf({ username, password }: URL) {
  if (!username && !password) return undefined
  try {
    return { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
  } catch {
    return null
  }
}
