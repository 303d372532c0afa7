import type { Log } from '../log.ts'
import type { EventRecords } from './event-records.ts'
import type { WebhookRecords } from './webhook-records.ts'

/** Milliseconds between two rounds, and between two statements of one. */
const INTERVAL = 600_000
const PAUSE = 100
/** Milliseconds after which a node without a webhook forgets what one would have been told of. */
const UNWANTED_AFTER = 86_400_000

export interface HousekeepingOptions {
  records: Pick<EventRecords, 'deleteOlder'>
  deliveries: Pick<WebhookRecords, 'discardOlder'>
  hasWebhook: boolean
  /** Milliseconds that an event stays on record. */
  retention: number
  /** Milliseconds since the epoch. */
  clock: () => number
  log: Log
}

/** Deletes what is too old, a little at a time. Every node does; they leave each other's rows alone. */
export function createHousekeeping(options: HousekeepingOptions) {
  const { records, deliveries, hasWebhook, retention, clock, log } = options
  let timer: NodeJS.Timeout | undefined
  let working: Promise<void> | undefined
  let stopped = false

  async function clean(): Promise<boolean> {
    const discarded = hasWebhook ? 0 : await deliveries.discardOlder(UNWANTED_AFTER)
    return (await records.deleteOlder(retention, clock())) + discarded > 0
  }

  async function turn(): Promise<void> {
    const more = await clean().catch((error: unknown) => {
      // The next round will do.
      const reason = error instanceof Error ? error.message : 'unknown'
      log.warn({ event: 'retention_failed', reason }, 'old security events could not be deleted')
      return false
    })
    if (!stopped) timer = setTimeout(begin, more ? PAUSE : INTERVAL).unref()
  }

  function begin(): void {
    working = turn()
  }

  return {
    start: begin,

    async stop(): Promise<void> {
      stopped = true
      clearTimeout(timer)
      await working
    },
  }
}
