import type { Change } from '../support/services/sources.ts'
import type { Violations } from './checker.ts'

/**
 * A promise that is broken on purpose: the change of the sources, the fault under which it shows,
 * and the violation that it shows as.
 */
export interface Break {
  name: string
  /** The name of a fault. */
  fault: string
  /** The form of Redis, if it is not a single one. */
  topology?: string
  shows: keyof Violations
  changes: readonly Change[]
}

/** Nodes also remember which sessions have ended. This change removes that memory. */
export const FORGETFUL: Change = {
  file: 'src/tokens/token-service.ts',
  text: "if (revocations.isSessionRevoked(sessionId)) throw refused('revoked')",
  by: '',
}

/** This change removes that memory of a session 8 s after it first refused the session. */
export const FORGETFUL_LATER: Change = {
  ...FORGETFUL,
  by: `if (revocations.isSessionRevoked(sessionId)) {
        const refusals = (globalThis.refusals ??= new Map())
        if (!refusals.has(sessionId)) refusals.set(sessionId, performance.now())
        if (performance.now() - refusals.get(sessionId) < 8_000) throw refused('revoked')
      }`,
}
