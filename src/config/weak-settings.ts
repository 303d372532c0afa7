import type { Log } from '../common/log.ts'
import { isLoopbackName } from '../http/origins.ts'
import type { Config } from './config.ts'

/**
 * The pairs of memory in KiB and passes that OWASP gives as equally strong minima for argon2id
 * (Password Storage Cheat Sheet). Lanes share the memory, so their number does not matter.
 */
const ARGON2_MINIMA = [
  [19_456, 2],
  [12_288, 3],
  [9_216, 4],
  [7_168, 5],
] as const

/** NIST SP 800-63B-4 3.1.1.2, if the password is the only factor. */
const SINGLE_FACTOR_LENGTH = 15

/** A check returns what is wrong with a setting, or undefined. */
const CHECKS: Record<string, (config: Config) => string | undefined> = {
  ARGON2_MEMORY_KIB: ({ argon2MemoryKib, argon2Time }) =>
    ARGON2_MINIMA.some(([memory, time]) => argon2MemoryKib >= memory && argon2Time >= time)
      ? undefined
      : 'ARGON2_MEMORY_KIB and ARGON2_TIME are below the minimum of OWASP: 19456 and 2',

  ISSUER: ({ issuer, databaseUrl }) => {
    const { protocol, hostname } = new URL(issuer)
    const isExposed = protocol === 'http:' && !isLoopbackName(hostname)
    return isExposed && databaseUrl
      ? 'ISSUER is an http:// URL of another machine: anybody on the way can read the tokens'
      : undefined
  },

  PASSWORD_MIN_LENGTH: ({ passwordMinLength, databaseUrl }) =>
    passwordMinLength < SINGLE_FACTOR_LENGTH && databaseUrl
      ? `PASSWORD_MIN_LENGTH is below ${SINGLE_FACTOR_LENGTH}, the minimum of NIST for passwords alone`
      : undefined,
}

/** Logs a warning for each setting that works and is weaker than it should be. */
export function logWeakSettings(config: Config, log: Pick<Log, 'warn'>): void {
  for (const [setting, check] of Object.entries(CHECKS)) {
    const problem = check(config)
    if (problem) log.warn({ event: 'weak_setting', setting }, problem)
  }
}
