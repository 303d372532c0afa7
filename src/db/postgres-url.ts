import { type PostgresParameters, readParameters } from './postgres-parameters.ts'

/** Where a `DATABASE_URL` leads. */
export interface PostgresTarget {
  /** Each host is a name, an IP address, or the folder of a Unix socket. */
  hosts: { host: string; port: number }[]
  user: string | undefined
  password: string | undefined
  database: string | undefined
  parameters: PostgresParameters
}

/** What is wrong with a `DATABASE_URL`. Completes the sentence "DATABASE_URL …". */
interface Problem {
  problem: string
}

const URL_FORM = /^postgres(?:ql)?:\/\/(?:([^/?]*)@)?([^/?@]*)(?:\/([^/?]*))?(?:\?(.*))?$/s
const HOST = /^(?:\[([\da-f:.]+)\]|([^:[\]\s]*))(?::(\d{1,5}))?$/i

const ENCODE =
  'If the user or the password contains # % / : ? or @, write %23 %25 %2F %3A %3F or %40 instead'

/**
 * Parses a URL as libpq does. Its form is wider than that of other URLs: several hosts, or none and
 * a socket. A problem never repeats a part of the URL that could belong to the password.
 */
export function parsePostgresUrl(text: string): PostgresTarget | Problem {
  if (!/^postgres(ql)?:\/\/./s.test(text))
    return { problem: 'must be a URL that starts with postgres:// or postgresql://' }
  if (text.includes('#')) return { problem: `must not contain a #. ${ENCODE}` }
  const [, userInfo, authority, path, query = ''] = URL_FORM.exec(text) ?? []
  if (authority === undefined) return { problem: `is not a valid URL. ${ENCODE}` }
  // Without a user, an @ in the query is probably the end of a password with a question mark.
  const mayNameParameters = userInfo !== undefined || !query.includes('@')
  try {
    const { own, parameters } = readParameters(
      // libpq does not read a plus sign as a space.
      new URLSearchParams(query.replaceAll('+', '%2B')),
    )
    const [user, password] = splitAtColon(userInfo ?? '')
    const written = hostsOf(decodeURIComponent(authority), own.port)
    const ports = own.port ?? written?.map(({ port }) => port).join(',')
    const hosts = own.host ? hostsOf(own.host, ports) : written
    if (!hosts) return { problem: `has a host or a port that is not valid. ${ENCODE}` }
    return {
      hosts,
      user: own.user ?? decoded(user),
      password: own.password ?? decoded(password),
      database: own.dbname ?? decoded(path),
      parameters,
    }
  } catch (error) {
    if (error instanceof URIError)
      return { problem: `has a % that is not followed by two hexadecimal digits. ${ENCODE}` }
    if (!mayNameParameters) return { problem: `has a parameter that is not valid. ${ENCODE}` }
    return { problem: (error as Error).message }
  }
}

/** Returns the hosts and ports, for messages: the rest of the URL may be a password. */
export function postgresHosts({ hosts }: PostgresTarget): string {
  return hosts
    .map(({ host, port }) => (isSocket(host) ? host : `${bracketed(host)}:${port}`))
    .join(', ')
}

/** Returns whether a host is the folder of a Unix socket. */
export function isSocket(host: string): boolean {
  return host.startsWith('/')
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** Returns undefined if a host or a port is not valid. */
function hostsOf(list: string, ports = '5432') {
  const portList = ports.split(',')
  const hosts = list.split(',').map((text, index) => {
    const fallback = portList[index] ?? portList[0]
    if (isSocket(text)) return { host: text, port: Number(fallback) }
    const [match, ipv6, name, port = fallback] = HOST.exec(text) ?? []
    if (match === undefined) return undefined
    return { host: ipv6 ?? (name || 'localhost'), port: Number(port) }
  })
  const isValid = (one: (typeof hosts)[number]): one is { host: string; port: number } =>
    one !== undefined && one.port > 0 && one.port < 65_536
  return hosts.every(isValid) ? hosts : undefined
}

function splitAtColon(text: string): [string, string] {
  const colon = text.indexOf(':')
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
}

function decoded(text: string | undefined): string | undefined {
  return text ? decodeURIComponent(text) : undefined
}
