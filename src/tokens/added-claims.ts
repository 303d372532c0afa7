import { PawlError } from '../errors.ts'
import { checkClaims } from './session-constants.ts'

/** The session for which an access token is about to be issued. */
export interface ClaimsSubject {
  userId: string
  sessionId: string
  roles: readonly string[]
}

/** Returns what the application adds to an access token, each time that one is issued. */
export type ClaimsCallback = (
  subject: ClaimsSubject,
) => Promise<Record<string, unknown>> | Record<string, unknown>

export type AddedClaims = (subject: ClaimsSubject) => Promise<Record<string, unknown>>

/** Milliseconds that the application may take. */
const LIMIT = 1_000

/**
 * Creates what asks the application for claims. It rejects with `AUTH_UNAVAILABLE` if the callback
 * throws, takes longer than a second, or returns what a token may not contain. The log has the
 * reason.
 */
export function createAddedClaims(callback: ClaimsCallback): AddedClaims {
  return async ({ userId, sessionId, roles }) => {
    const asked = new Promise<unknown>((resolve) => {
      resolve(callback({ userId, sessionId, roles: [...roles] }))
    })
    const checked = checkClaims(await within(asked))
    if ('problem' in checked) throw failed(`the claims of the application: ${checked.problem}`)
    return checked.claims
  }
}

async function within(asked: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_resolve, reject) => {
    const reason = `the claims of the application took longer than ${LIMIT} ms`
    timer = setTimeout(() => reject(failed(reason)), LIMIT)
  })
  try {
    return await Promise.race([asked, deadline])
  } catch (error) {
    throw error instanceof PawlError ? error : failed('the claims of the application failed', error)
  } finally {
    clearTimeout(timer)
  }
}

function failed(reason: string, cause?: unknown): PawlError {
  return new PawlError('AUTH_UNAVAILABLE', { reason, cause })
}
