import { setImmediate } from 'node:timers/promises'
import { backoffDelay, withJitter } from '../common/backoff.ts'
import { errorText } from '../common/error-text.ts'
import type { Log } from '../common/log.ts'
import { createWorker } from '../common/worker.ts'
import type { RevocationStream } from './revocation-stream.ts'
import type { Revocations } from './revocations.ts'
import type { StreamEntry } from './stream-entry.ts'

export interface RepublisherOptions {
  stream: Pick<RevocationStream, 'append' | 'history' | 'claim' | 'release'>
  redis: Parameters<RevocationStream['history']>[0]
  known: Pick<Revocations, 'forgetPublished' | 'unpublished'>
  /** Notes the entries of the stream in `known`. */
  addEntries: (entries: readonly StreamEntry[]) => void
  log: Log
}

/** Milliseconds between two looks whether there is something to do. */
const INTERVAL = 500
/** Milliseconds between two attempts after failures. */
const BACKOFF = { first: 1_000, longest: 30_000 }
/** Milliseconds for which one node publishes, while the other nodes wait. */
const CLAIM = 20_000

/**
 * Creates the worker that publishes again what a lost or replaced stream lacks, for nodes that
 * cannot reach Postgres. No node waits for it, because each has read Postgres by itself.
 */
export function createRepublisher(options: RepublisherOptions) {
  const { stream, redis, known, addEntries, log } = options
  /** Counts the requests, to notice one that comes during a run. */
  let requests = 0
  let done = 0
  let isStreamKnown = true
  let failures = 0
  let isStopped = false

  function requireRunning(): void {
    if (isStopped) throw new Error('the server is stopping')
  }

  async function compareStream(): Promise<void> {
    for (const _step of known.forgetPublished()) await setImmediate()
    for await (const entries of stream.history(redis)) {
      requireRunning()
      addEntries(entries)
    }
  }

  async function publishMissing(): Promise<number> {
    let published = 0
    for (const batch of known.unpublished()) {
      requireRunning()
      await stream.append(batch)
      published += batch.length
      await setImmediate()
    }
    return published
  }

  async function work(): Promise<number | undefined> {
    const request = requests
    if (request === done) return undefined
    try {
      if (!(await stream.claim(CLAIM))) return withJitter(INTERVAL)
      if (!isStreamKnown) await compareStream()
      const revocations = await publishMissing()
      const facts = { event: 'revocations_republished', revocations }
      if (revocations > 0) log.info(facts, 'published again what the stream lacked')
      done = request
      isStreamKnown = request === requests
      failures = 0
      await stream.release()
      return undefined
    } catch (error) {
      failures += 1
      if (failures === 1 && !isStopped)
        log.warn({ reason: errorText(error) }, 'cannot publish again what the stream lacks')
      return withJitter(backoffDelay(failures, BACKOFF))
    }
  }

  const worker = createWorker({ interval: INTERVAL, work })

  return {
    /**
     * Asks for a run. `isCompared` says that `known` already tells which entries the stream has;
     * otherwise the run reads the whole stream first.
     */
    request({ isCompared }: { isCompared: boolean }): void {
      requests += 1
      if (!isCompared) isStreamKnown = false
    },

    start: worker.start,

    /** Another node publishes the rest. */
    stop(): Promise<void> {
      isStopped = true
      return worker.stop()
    },
  }
}
