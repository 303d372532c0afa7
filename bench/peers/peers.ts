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
      'The usual tutorial on Express: a JWT (HS256). Each request looks up the token id in a ' +
      'deny-list in Redis and the user in Postgres. Revocation takes effect at once, unless ' +
      'Redis loses data.',
    work: ['authenticate'],
    packages: ['express', 'jsonwebtoken', 'ioredis', 'drizzle-orm', 'postgres'],
    freshFor: QUARTER_HOUR_S,
  },
  {
    name: 'tutorial-rotation',
    server: at('tutorial-rotation/server.ts'),
    description:
      'The usual tutorial on NestJS and Fastify: Redis holds the hash of one refresh token ' +
      'per user and replaces it at each refresh. There is no second device and no theft ' +
      'detection. A lost response or a second tab logs the user out. An access token cannot ' +
      'be revoked.',
    work: ['refresh'],
    packages: ['@nestjs/core', '@nestjs/jwt', 'fastify', 'ioredis', 'drizzle-orm', 'postgres'],
    freshFor: QUARTER_HOUR_S,
  },
  {
    name: 'jwt-redis',
    server: at('jwt-redis/server.js'),
    description:
      'A JWT (HS256) on Express that is valid while Redis has a key with its id. Revocation ' +
      'takes effect at once. There is no refresh and no list of sessions, and an empty Redis ' +
      'logs all users out.',
    work: ['authenticate'],
    packages: ['jwt-redis', 'express', 'redis'],
    freshFor: QUARTER_HOUR_S,
  },
  {
    name: 'better-auth',
    server: at('better-auth/server.js'),
    description:
      'A session cookie. Each request looks up the session and its user in Redis. Revocation ' +
      'takes effect at once. A session has the same secret for its whole life, and an empty ' +
      'Redis logs all users out.',
    work: ['authenticate'],
    packages: ['better-auth', '@better-auth/redis-storage', 'fastify', 'ioredis', 'pg'],
    freshFor: WEEK_S,
  },
  {
    name: 'better-auth-cookie-cache',
    server: at('better-auth/cookie-cache.js'),
    description:
      'The same as better-auth, with session and user also in a signed cookie that is valid ' +
      'for five minutes. There is no look-up, but a revoked session stays valid for up to ' +
      'five minutes.',
    work: ['authenticate'],
    packages: ['better-auth', '@better-auth/redis-storage', 'fastify', 'ioredis', 'pg'],
    freshFor: 5 * 60,
  },
  {
    name: 'better-auth-oauth',
    server: at('better-auth/oauth.js'),
    description:
      'The OAuth provider of better-auth, with the refresh_token grant of a public client. It ' +
      'has rotation and reuse detection, with a row in Postgres for each token ever issued. A ' +
      'lost response revokes all tokens that the user has for the client.',
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
      'Opaque tokens in Redis, with rotation and reuse detection for a public client, and ' +
      'introspection for its API. A lost response revokes the grant, and an empty Redis logs ' +
      'all users out.',
    work: ['authenticate', 'refresh'],
    packages: ['oidc-provider', 'ioredis', 'drizzle-orm', 'postgres'],
    refusal: '"active":false',
    freshFor: QUARTER_HOUR_S,
  },
  {
    name: 'fastify-session',
    server: at('fastify-session/server.js'),
    description:
      'No tokens, only a signed cookie with the id of a session in Redis. Revocation takes ' +
      'effect at once. Every service needs that Redis, and an empty Redis logs all users out.',
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
  if (status !== 0) throw new Error('the peers could not be installed: npm ci failed')
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

/** Returns a note with the versions of the peers, or no note if they are not installed. */
export function describeVersions(work: Work): string[] {
  if (!arePeersInstalled()) return []
  const taking = peers.filter((peer) => peer.work.includes(work))
  const versions = Object.assign({}, ...taking.map(versionsOf)) as Record<string, string>
  return [
    `The peers use ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
  ]
}
