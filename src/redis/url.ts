interface RedisAddress {
  host: string
  port: number
}

interface RedisLogin {
  username?: string
  password?: string
}

/** One server, some nodes of a cluster, or the name of a master and the Sentinels that know it. */
export type RedisTarget =
  | { form: 'server'; url: string }
  | { form: 'cluster'; nodes: RedisAddress[]; login: RedisLogin; tls: boolean }
  | {
      form: 'sentinel'
      sentinels: RedisAddress[]
      name: string
      login: RedisLogin
      sentinelLogin: RedisLogin
      tls: boolean
    }

const SENTINEL = /^(rediss?)\+sentinel:\/\/(?:([^@/]*)@)?([^@/?#]+)\/([^/?#]+)(?:\?([^#]*))?$/

/** Parses a REDIS_URL in any of its three forms. Returns undefined if it has none of them. */
export function parseRedisUrl(text: string): RedisTarget | undefined {
  try {
    const sentinel = SENTINEL.exec(text)
    return sentinel ? parseSentinel(sentinel) : parseServers(text)
  } catch {
    return undefined
  }
}

/** Returns the host and port of every server, for messages, without user names and passwords. */
export function redisHosts(target: RedisTarget): string {
  if (target.form === 'server') return new URL(target.url).host
  const addresses = target.form === 'cluster' ? target.nodes : target.sentinels
  return addresses
    .map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`))
    .join(', ')
}

function parseSentinel([, scheme, userInfo, hosts = '', name = '', query]: string[]): RedisTarget {
  const parameters = new URLSearchParams(query)
  const username = parameters.get('sentinelUsername')
  const password = parameters.get('sentinelPassword')
  return {
    form: 'sentinel',
    sentinels: hosts.split(',').map((host) => addressOf(parse(`redis://${host}`), 26_379)),
    name: decodeURIComponent(name),
    login: userInfo ? loginOf(parse(`redis://${userInfo}@host`)) : {},
    sentinelLogin: { ...(username && { username }), ...(password && { password }) },
    tls: scheme === 'rediss',
  }
}

function parseServers(text: string): RedisTarget {
  // A comma alone does not separate URLs, because a password may contain one; it has no slash.
  const urls = text.split(/,(?=rediss?:\/\/)/).map(parse)
  const [first, ...others] = urls
  if (!first || others.length === 0) return { form: 'server', url: text }
  const login = loginOf(first)
  for (const url of urls) {
    // A cluster has one database, one user for all nodes, and TLS at all of them or at none.
    const sameLogin = !url.password || url.password === first.password
    const hasPath = !['', '/', '/0'].includes(url.pathname)
    if (!sameLogin || hasPath || url.search || url.protocol !== first.protocol)
      throw new TypeError('the URLs do not belong to one cluster')
  }
  return {
    form: 'cluster',
    nodes: urls.map((url) => addressOf(url, 6379)),
    login,
    tls: first.protocol === 'rediss:',
  }
}

function parse(text: string): URL {
  const url = new URL(text)
  if (
    !/^rediss?:$/.test(url.protocol) ||
    !text.includes('://') ||
    !url.hostname ||
    url.hostname.includes(',')
  )
    throw new TypeError('the URL is not one of Redis')
  loginOf(url)
  return url
}

function addressOf({ hostname, port }: URL, fallback: number): RedisAddress {
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port ? Number(port) : fallback }
}

function loginOf({ username, password }: URL): RedisLogin {
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  }
}
