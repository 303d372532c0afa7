import { unavailable } from '../errors.ts'

export interface AdmissionOptions {
  /** Highest number of statements that run at the same time. */
  size: number
  /** Milliseconds that a statement waits for its turn. */
  queueLimit: number
  /** Milliseconds after a refused connection before another one is tried. */
  growAfter: number
  /** Returns monotonic milliseconds. */
  now(): number
}

/** Statements beyond this number are not queued, so that memory stays bounded. */
const MAX_WAITING = 10_000

interface Waiting {
  kind: string
  admit(): void
}

/**
 * Creates the queue before a pool of connections. Statements are admitted in the order of their
 * arrival. At most half of them, rounded up, may be of one kind: if one kind of statement waits for
 * a lock, the others continue.
 *
 * The number of statements adapts to the connections that the server grants.
 */
export function createAdmission({ size, queueLimit, growAfter, now }: AdmissionOptions) {
  const waiting = new Set<Waiting>()
  const running = new Map<string, number>()
  let limit = size
  let total = 0
  let refusedAt = Number.NEGATIVE_INFINITY

  function count(kind: string, change: 1 | -1) {
    const ofKind = (running.get(kind) ?? 0) + change
    if (ofKind === 0) running.delete(kind)
    else running.set(kind, ofKind)
    total += change
  }

  function admitNext() {
    if (limit < size && waiting.size > 0 && now() - refusedAt >= growAfter) {
      limit += 1
      refusedAt = now()
    }
    for (const next of waiting) {
      if (total >= limit) return
      if ((running.get(next.kind) ?? 0) >= Math.ceil(limit / 2)) continue
      waiting.delete(next)
      count(next.kind, 1)
      next.admit()
    }
  }

  return {
    /** Resolves when it is the statement's turn. Rejects with `AUTH_UNAVAILABLE` if it is late. */
    enter(kind: string): Promise<void> {
      const { promise, resolve, reject } = withResolvers()
      const fail = (reason: string) => reject(unavailable('Postgres', new Error(reason)))
      if (waiting.size >= MAX_WAITING) {
        fail('too many statements wait for a connection')
        return promise
      }
      const timer = setTimeout(() => {
        waiting.delete(entry)
        fail('no free connection in time')
      }, queueLimit)
      const entry: Waiting = {
        kind,
        admit() {
          clearTimeout(timer)
          resolve()
        },
      }
      waiting.add(entry)
      admitNext()
      return promise
    },

    /** Ends the turn of a statement of this kind. */
    leave(kind: string): void {
      count(kind, -1)
      admitNext()
    },

    /** Lowers the number of statements, because the server refused a connection for one of them. */
    refused(): void {
      limit = Math.max(1, limit - 1)
      refusedAt = now()
    },
  }
}

function withResolvers() {
  let resolve: () => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
