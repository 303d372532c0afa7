import { readPage } from '../common/page.ts'
import { loadDatabaseConfig } from '../config/config.ts'
import { createDeliveries, type DeliveryView } from '../webhook/deliveries.ts'
import { postgresTime, withDatabase } from './database.ts'
import { printJson, printTable } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface ListOptions {
  dead?: true
  limit: number
  after?: number
  json?: true
}

/** Prints the deliveries that have not arrived, in the order in which they are sent. */
export async function listDeliveries(
  terminal: Terminal,
  { dead, limit, after, json }: ListOptions,
): Promise<void> {
  const { page, now } = await withDatabase(loadDatabaseConfig(terminal.env), async (database) => {
    const deliveries = createDeliveries(database)
    const page = await readPage(
      limit,
      (count) => deliveries.list({ dead: dead ?? false, after }, count),
      ({ no }) => String(no),
    )
    return { page, now: await postgresTime(database) }
  })
  const { items, next } = page
  if (json)
    return printJson(terminal, {
      deliveries: items.map(toJson),
      ...(next !== undefined && { after: Number(next) }),
    })
  const rows = items.map((delivery) => [
    String(delivery.no),
    delivery.type,
    delivery.state,
    String(delivery.attempts),
    delivery.lastError ?? '-',
    nextAttempt(delivery, now),
  ])
  const heading = ['NO', 'EVENT', 'STATE', 'ATTEMPTS', 'LAST ERROR', 'NEXT ATTEMPT']
  printTable(terminal, { heading, rows, none: 'There are no such deliveries.', next })
}

function nextAttempt({ state, nextAttemptAt }: DeliveryView, now: number): string {
  if (state === 'dead') return '-'
  // It waits until the delivery before it in its queue has arrived or is dead.
  if (nextAttemptAt === null) return 'in its turn'
  return nextAttemptAt <= now ? 'now' : `in ${Math.ceil((nextAttemptAt - now) / 1_000)} s`
}

function toJson({ createdAt, nextAttemptAt, deadAt, ...rest }: DeliveryView) {
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
  return {
    ...rest,
    createdAt: iso(createdAt),
    nextAttemptAt: iso(nextAttemptAt),
    deadAt: iso(deadAt),
  }
}
