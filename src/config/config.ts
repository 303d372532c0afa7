import { importSigningKey, isSmallRsa } from '../keys/signing-key.ts'
import { DATABASE_ENVIRONMENT, ENVIRONMENT, type Values, type Variables } from './environment.ts'

type Settings = Values<typeof ENVIRONMENT>

/** The settings, one key for each environment variable. Durations are in milliseconds. */
export type Config = Readonly<ReturnType<typeof withComputedDefaults>>

/** The settings of a command that works on the database alone. */
export type DatabaseConfig = Values<typeof DATABASE_ENVIRONMENT>

/** Says which variables are wrong and what they must be, but never what they contain. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
    super(`The configuration has ${count}:\n  ${problems.join('\n  ')}`)
    this.problems = problems
  }
}

/**
 * Returns the configuration that the environment holds, frozen. An empty variable counts as not
 * set, because Compose files pass variables that way. Throws a `ConfigError` that lists every
 * problem.
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const { values, problems } = read(ENVIRONMENT, env)
  const all = [...problems, ...missing(env), ...RULES.flatMap((rule) => rule(values))]
  if (all.length > 0) throw new ConfigError(all)
  return Object.freeze(withComputedDefaults(values as Settings))
}

/** Does the same for a command that works on the database alone. It ignores all other variables. */
export function loadDatabaseConfig(env: NodeJS.ProcessEnv): DatabaseConfig {
  const { values, problems } = read(DATABASE_ENVIRONMENT, env)
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.freeze(values as DatabaseConfig)
}

/** Returns the values of the variables that are valid, and a problem for each that is not. */
function read<V extends Variables>(variables: V, env: NodeJS.ProcessEnv) {
  const values: Record<string, unknown> = {}
  const problems: string[] = []
  for (const [key, variable] of Object.entries(variables)) {
    const text = env[variable.name] || variable.default
    const isValid = text === undefined || variable.isValid(text)
    values[key] = isValid && text !== undefined ? Object.freeze(variable.parse(text)) : undefined
    if (isValid) continue
    const problem = variable.problemOf?.(text) ?? `must be ${variable.format}`
    problems.push(`${variable.name} ${problem}`)
  }
  return { values: values as Partial<Values<V>>, problems }
}

/**
 * Returns a problem for each variable that another one requires. No secret has a default, because
 * everybody would know it, and none is made up, because other nodes would not have it.
 */
function missing(env: NodeJS.ProcessEnv): string[] {
  return Object.values<Variables[string]>(ENVIRONMENT)
    .filter(({ name, requiredWith }) => requiredWith && env[requiredWith] && !env[name])
    .map(({ name, requiredWith }) => `${name} is required because ${requiredWith} is set`)
}

/** The rules over two variables. A variable that is not valid by itself has no value here. */
const RULES: readonly ((values: Partial<Settings>) => string[])[] = [
  ({ grace = 0, refreshIdleTtl = grace }) =>
    grace > refreshIdleTtl ? ['GRACE must not be longer than REFRESH_IDLE_TTL'] : [],

  ({ requireVerifiedEmail, signup }) =>
    requireVerifiedEmail && signup === true
      ? ['REQUIRE_VERIFIED_EMAIL needs SIGNUP=verified or SIGNUP=false']
      : [],

  ({ metrics, port }) =>
    typeof metrics === 'number' && metrics > 0 && metrics === port
      ? ['METRICS must not be the same port as PORT']
      : [],

  ({ accessTokenPrivateKey, accessTokenAlg }) =>
    accessTokenPrivateKey && accessTokenAlg && !isKeyFor(accessTokenPrivateKey, accessTokenAlg)
      ? [`ACCESS_TOKEN_PRIVATE_KEY must be ${ENVIRONMENT.accessTokenPrivateKey.format}`]
      : [],
]

function isKeyFor(text: string, algorithm: string): boolean {
  try {
    return !isSmallRsa(importSigningKey(text, algorithm).jwk)
  } catch {
    return false
  }
}

function withComputedDefaults(settings: Settings) {
  const { databaseUrl, port } = settings
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host
  const issuer = settings.issuer ?? `http://${host}:${port}`
  return {
    ...settings,
    issuer,
    audience: settings.audience ?? issuer,
    mailLink: settings.mailLink ?? issuer,
    playground: settings.playground ?? !databaseUrl,
  }
}
