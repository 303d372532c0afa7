import { errorText } from '../common/error-text.ts'
import { PawlError } from '../errors.ts'

/** Why a command of Redis failed, with the text for the log. */
const REASONS = {
  /** No connection, no reply in time, or a server that cannot serve the command now. */
  unavailable: 'Redis is unavailable',
  /** The user of the connection may not run the command, or must log in. */
  refused: 'Redis refuses a command: check the password and the ACL',
  /** There is no memory for a write. */
  full: 'Redis is full: it refuses writes above maxmemory',
  script: 'a Redis script or command failed',
}

export type RedisErrorKind = keyof typeof REASONS

export type AwaitReply = <T>(reply: Promise<T>) => Promise<T>

/**
 * Error codes of Redis, at the beginning of the message, by kind. A script passes on the code of
 * the command that failed in it, except for a command that its user may not run.
 */
const KINDS: [RegExp, RedisErrorKind][] = [
  [/^(NOPERM|NOAUTH|WRONGPASS)|^ERR .*executing the script can't (run|access)/, 'refused'],
  [/^OOM/, 'full'],
  [
    /^(READONLY|MASTERDOWN|LOADING|BUSY|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|NOREPLICAS|MISCONF)/,
    'unavailable',
  ],
]

/** Awaits a reply of Redis, as `createAwaitReply` documents, and counts no failure. */
export const awaitReply: AwaitReply = createAwaitReply()

/**
 * Creates the function that awaits a reply of Redis. It rejects with `AUTH_UNAVAILABLE` if there is
 * none or if Redis replies with an error, and says in the log which of both it was. `onFailure`
 * receives the kind of each failure.
 *
 * Only the text of the cause is kept, because errors of ioredis carry the command with its
 * arguments (https://github.com/redis/ioredis/issues/1713). When they no longer do, the error can
 * be passed on as the cause.
 */
export function createAwaitReply(onFailure: (kind: RedisErrorKind) => void = () => {}): AwaitReply {
  return async (reply) => {
    try {
      return await reply
    } catch (error) {
      const kind = kindOf(error)
      onFailure(kind)
      const cause = new Error(errorText(error))
      throw new PawlError('AUTH_UNAVAILABLE', { reason: REASONS[kind], cause })
    }
  }
}

function kindOf(error: unknown): RedisErrorKind {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return 'unavailable'
  return KINDS.find(([pattern]) => pattern.test(error.message))?.[1] ?? 'script'
}
