export interface RedisAddress {
  host: string
  port: number
}

export interface RedisLogin {
  username?: string
  password?: string
}

/** One server, the servers of a cluster, or a master that is found by its name. */
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

/** What a REDIS_URL means, in any of its three forms; undefined where it is none of them. */
export function parseRedisUrl(text: string): RedisTarget | undefined {
  try {
    const sentinel = SENTINEL.exec(text)
    return sentinel ? parseSentinel(sentinel) : parseServers(text)
  } catch {
    return undefined
  }
}

/** Host and port of every server in it, for messages: the rest may be a password. */
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
  // A password may contain a comma, but no slash.
  const urls = text.split(/,(?=rediss?:\/\/)/).map(parse)
  const [first, ...others] = urls
  if (!first || others.length === 0) return { form: 'server', url: text }
  const login = loginOf(first)
  for (const url of urls) {
    // A cluster has one database, one user for all of its nodes, and TLS at all of them or none.
    const sameLogin = !url.password || url.password === first.password
    const hasPath = !['', '/', '/0'].includes(url.pathname)
    if (!sameLogin || hasPath || url.search || url.protocol !== first.protocol)
      throw new TypeError('a mixture')
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
    throw new TypeError('not a URL of Redis')
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
