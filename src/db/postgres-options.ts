import type postgres from 'postgres'
import { tlsOptions } from './postgres-tls.ts'
import { isSocket, type PostgresTarget, parsePostgresUrl } from './postgres-url.ts'

/** Seconds to wait for a connection. A statement does not wait longer. */
const CONNECT_TIMEOUT = 5

/** Parses a `DATABASE_URL`. Throws a `TypeError` that says what is wrong with it. */
export function postgresTarget(url: string): PostgresTarget {
  const target = parsePostgresUrl(url)
  if ('problem' in target) throw new TypeError(`DATABASE_URL ${target.problem}`)
  return target
}

export type DriverOptions = postgres.Options<Record<string, postgres.PostgresType>>

/**
 * Returns the options with which the driver connects to the target, with these settings of the
 * session. Reads the files of certificates.
 */
export function driverOptions(
  { hosts, user, password, database, parameters }: PostgresTarget,
  settings: Record<string, string | number> = {},
): DriverOptions {
  const { tls, connectTimeout, keepAlive, targetSessionAttrs } = parameters
  const names = hosts.map(({ host }) => host)
  const [first] = hosts
  const socket = first && isSocket(first.host) ? first : undefined
  // libpq uses no TLS on a Unix socket, whatever `sslmode` is.
  const ssl = socket ? false : tlsOptions(tls, names)
  return {
    host: names,
    port: hosts.map(({ port }) => port),
    ...(socket && { path: `${socket.host}/.s.PGSQL.${socket.port}` }),
    ...(user && { user }),
    ...(password && { password }),
    ...(database && { database }),
    ssl,
    ...(tls.isDirect && { sslnegotiation: 'direct' }),
    connect_timeout: Math.min(connectTimeout || CONNECT_TIMEOUT, CONNECT_TIMEOUT),
    ...(keepAlive && { keep_alive: keepAlive }),
    ...(targetSessionAttrs && { target_session_attrs: targetSessionAttrs as 'primary' }),
    connection: { ...settings, ...parameters.settings },
    // The types of the driver know a single host only.
  } as unknown as DriverOptions
}

/**
 * Returns the options with which the driver connects to the server of a client of the application,
 * with these settings of the session. The parsers, the transforms and the size of the client stay
 * behind, because Pawl's statements depend on their own.
 */
export function optionsOfClient(
  options: object,
  settings: Record<string, string | number>,
): DriverOptions {
  const given = options as DriverOptions & { pass?: string | (() => string) }
  const kept = CONNECTION_OPTIONS.flatMap((name) =>
    given[name] === undefined || given[name] === null ? [] : [[name, given[name]]],
  )
  return {
    ...Object.fromEntries(kept),
    ...(given.pass && { password: given.pass }),
    connect_timeout: CONNECT_TIMEOUT,
    connection: { ...given.connection, ...settings },
  }
}

/** The options that say which server to connect to, and how. */
const CONNECTION_OPTIONS = [
  'host',
  'port',
  'path',
  'database',
  'user',
  'ssl',
  'sslnegotiation',
  'keep_alive',
  'max_lifetime',
  'target_session_attrs',
  'prepare',
  'socket',
] as (keyof DriverOptions)[]
