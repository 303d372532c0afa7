import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Peer, Work } from './peer.ts'

const at = (path: string) => new URL(path, import.meta.url)
const QUARTER_HOUR_S = 15 * 60
const WEEK_S = 7 * 24 * 60 * 60

export const peers: readonly Peer[] = [
  {
    name: 'tutorial-denylist',
    server: at('tutorial-denylist/server.js'),
    description:
      'the usual tutorial on Express: a JWT (HS256); each request looks up its id in a deny-list in Redis and its user in Postgres; revocation takes effect at once, unless Redis loses data',
    work: ['authenticate'],
    packages: ['express', 'jsonwebtoken', 'ioredis', 'drizzle-orm', 'postgres'],
    freshFor: QUARTER_HOUR_S,
  },
  {
    name: 'tutorial-rotation',
    server: at('tutorial-rotation/server.ts'),
    description:
      "the usual tutorial on NestJS and Fastify: the hash of a user's one refresh token in Redis, replaced at each refresh; no second device, no theft detection, a lost response or a second tab logs the user out, and an access token cannot be revoked",
    work: ['refresh'],
    packages: ['@nestjs/core', '@nestjs/jwt', 'fastify', 'ioredis', 'drizzle-orm', 'postgres'],
    freshFor: QUARTER_HOUR_S,
  },
  {
    name: 'jwt-redis',
    server: at('jwt-redis/server.js'),
    description:
      'a JWT (HS256) on Express that is valid while Redis has a key with its id; revocation takes effect at once, but there is no refresh and no list of sessions, and an empty Redis logs everybody out',
    work: ['authenticate'],
    packages: ['jwt-redis', 'express', 'redis'],
    freshFor: QUARTER_HOUR_S,
  },
  {
    name: 'better-auth',
    server: at('better-auth/server.js'),
    description:
      'a session cookie, looked up with its user in Redis at each request; revocation takes effect at once, but a session is one secret for its whole life, and an empty Redis logs everybody out',
    work: ['authenticate'],
    packages: ['better-auth', '@better-auth/redis-storage', 'fastify', 'ioredis', 'pg'],
    freshFor: WEEK_S,
  },
  {
    name: 'better-auth-cookie-cache',
    server: at('better-auth/cookie-cache.js'),
    description:
      'the same with session and user in a signed cookie of five minutes as well; no look-up, but a revoked session stays valid for up to five minutes',
    work: ['authenticate'],
    packages: ['better-auth', '@better-auth/redis-storage', 'fastify', 'ioredis', 'pg'],
    freshFor: 5 * 60,
  },
  {
    name: 'better-auth-oauth',
    server: at('better-auth/oauth.js'),
    description:
      'its OAuth provider, refresh_token grant of a public client: rotation and reuse detection with a row in Postgres for each token ever issued; a lost response ends all of the user’s tokens for the client',
    work: ['refresh'],
    packages: [
      'better-auth',
      '@better-auth/oauth-provider',
      '@better-auth/redis-storage',
      'fastify',
      'pg',
    ],
    freshFor: WEEK_S,
  },
  {
    name: 'oidc-provider',
    server: at('oidc-provider/server.js'),
    description:
      'opaque tokens in Redis: rotation with reuse detection for a public client, and introspection for its API; a lost response ends the grant, and an empty Redis logs everybody out',
    work: ['authenticate', 'refresh'],
    packages: ['oidc-provider', 'ioredis', 'drizzle-orm', 'postgres'],
    refusal: '"active":false',
    freshFor: QUARTER_HOUR_S,
  },
  {
    name: 'fastify-session',
    server: at('fastify-session/server.js'),
    description:
      'no tokens at all: a signed cookie with the id of a session in Redis; revocation takes effect at once, but every service needs that Redis, and an empty one logs everybody out',
    work: ['authenticate'],
    packages: ['@fastify/session', 'connect-redis', 'fastify', 'ioredis'],
    freshFor: WEEK_S,
  },
]

export const arePeersInstalled = () => existsSync(at('node_modules/.package-lock.json'))

export function installPeers(): void {
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel', 'error'], {
    cwd: fileURLToPath(at('.')),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error('the peers could not be installed')
}

/** Returns the installed versions by package name. */
export function versionsOf(peer: Peer): Record<string, string> {
  return Object.fromEntries(
    peer.packages.map((name) => [
      name,
      JSON.parse(readFileSync(at(`node_modules/${name}/package.json`), 'utf8')).version,
    ]),
  )
}

/** Returns a sentence about what was measured, for a reader of the figures. */
export function describeVersions(work: Work): string[] {
  if (!arePeersInstalled()) return []
  const taking = peers.filter((peer) => peer.work.includes(work))
  const versions = Object.assign({}, ...taking.map(versionsOf)) as Record<string, string>
  return [
    `With ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
  ]
}
