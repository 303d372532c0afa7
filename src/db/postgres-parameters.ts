import { readTls, type Tls } from './postgres-tls.ts'

/** What the parameters of a `DATABASE_URL` ask for. */
export interface PostgresParameters {
  tls: Tls
  /** Settings of the session, by their names in Postgres. */
  settings: Record<string, string>
  /** Seconds within which a connection must be made. */
  connectTimeout: number | undefined
  /** Seconds after which TCP probes an idle connection. */
  keepAlive: number | undefined
  /** Which of several hosts to use. */
  targetSessionAttrs: string | undefined
}

/** Parameters that stand for a part of the URL. */
const PARTS = ['host', 'port', 'user', 'password', 'dbname'] as const

/** Parameters that Postgres gets as they are. */
const SETTINGS = [
  'options',
  'application_name',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
]

const TLS_PARAMETERS = [
  'sslmode',
  'ssl',
  'sslaccept',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslpassword',
  'sslnegotiation',
  'ssl_min_protocol_version',
  'ssl_max_protocol_version',
]

/** Parameters that change nothing, with the values for which this is true. */
const WITHOUT_EFFECT: Record<string, readonly string[]> = {
  channel_binding: ['disable', 'prefer'],
  client_encoding: ['UTF8', 'utf8', 'UTF-8', 'utf-8', 'auto'],
  gssencmode: ['disable', 'prefer'],
  keepalives: ['1'],
  load_balance_hosts: ['disable'],
  // No statement of Pawl is prepared by name, which is what the parameter would turn off.
  pgbouncer: ['true', 'false'],
  sslcertmode: ['allow'],
  sslcompression: ['0'],
  sslsni: ['1'],
  uselibpqcompat: ['true'],
}

/** What to do instead of using a parameter. */
const INSTEAD: Record<string, string> = {
  channel_binding: 'remove it, and set sslmode=verify-full',
  connection_limit: 'set DATABASE_POOL_SIZE',
  currentSchema: 'set DATABASE_SCHEMA',
  hostaddr: 'write the address as the host',
  passfile: 'write the password into the URL',
  schema: 'set DATABASE_SCHEMA',
  search_path: 'set DATABASE_SCHEMA',
  service: 'write the host and the database into the URL',
  sslidentity: 'use sslcert and sslkey',
}

/** Returns what the parameters mean. Throws an error that names the first one that is wrong. */
export function readParameters(query: URLSearchParams) {
  const values = new Map([...query].filter(([, value]) => value !== ''))
  const take = (name: string) => {
    const value = values.get(name)
    values.delete(name)
    return value
  }
  const takeAll = <const Name extends string>(names: readonly Name[]) =>
    Object.fromEntries(
      names.map((name) => [name, take(name)]).filter(([, value]) => value !== undefined),
    ) as { [N in Name]?: string }

  const own = takeAll(PARTS)
  const parameters: PostgresParameters = {
    tls: readTls(takeAll(TLS_PARAMETERS)),
    settings: takeAll(SETTINGS) as Record<string, string>,
    connectTimeout: seconds('connect_timeout', take('connect_timeout')),
    keepAlive: seconds('keepalives_idle', take('keepalives_idle')),
    targetSessionAttrs: attributesOf(take('target_session_attrs')),
  }
  take('fallback_application_name')
  // Supabase marks its URLs with it.
  take('supa')
  for (const [name, value] of values) requireWithoutEffect(name, value)
  return { own, parameters }
}

function requireWithoutEffect(name: string, value: string): void {
  const allowed = Object.hasOwn(WITHOUT_EFFECT, name) ? WITHOUT_EFFECT[name] : undefined
  if (allowed?.includes(value)) return
  const instead = Object.hasOwn(INSTEAD, name) ? `: ${INSTEAD[name]}` : ''
  if (!allowed)
    throw new Error(`has the parameter ${shown(name)}, which is not supported${instead}`)
  throw new Error(`has the parameter ${name}, which can only be ${allowed.join(' or ')}${instead}`)
}

/** Returns the name of a parameter if it can be one. It is otherwise text that someone mistyped. */
function shown(name: string): string {
  return /^[a-z_]{1,40}$/i.test(name) ? name : 'with a strange name'
}

function seconds(name: string, value: string | undefined): number | undefined {
  if (value !== undefined && !/^\d{1,6}$/.test(value))
    throw new Error(`has the parameter ${name}, which must be a number of seconds`)
  return value === undefined ? undefined : Number(value)
}

/** Returns undefined for any server. */
function attributesOf(value: string | undefined): string | undefined {
  if (value === undefined || value === 'any') return undefined
  if (value === 'read-write' || value === 'primary') return value
  throw new Error(
    'has the parameter target_session_attrs, which can only be any, read-write or primary, ' +
      'because Pawl writes',
  )
}
