import { loadDatabaseConfig } from '../config/config.ts'
import { createDeliveries, type DeliveryView } from '../webhook/deliveries.ts'
import { withDatabase } from './database.ts'
import { timeOf } from './record.ts'
import { formatTable } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface ListOptions {
  dead?: true
  limit: number
  after?: number
  json?: true
}

const HEADING = ['NO', 'EVENT', 'STATE', 'ATTEMPTS', 'LAST ERROR', 'NEXT ATTEMPT']

export async function listDeliveries(
  terminal: Terminal,
  { dead, limit, after, json }: ListOptions,
) {
  const { found, now } = await withDatabase(loadDatabaseConfig(terminal.env), async (database) => ({
    found: await createDeliveries(database).list({ dead: dead ?? false, after }, limit + 1),
    now: await timeOf(database.orm),
  }))
  const shown = found.slice(0, limit)
  const more = found.length > limit ? shown.at(-1)?.no : undefined
  if (json) {
    const page = { deliveries: shown.map(describe), ...(more !== undefined && { after: more }) }
    terminal.stdout.write(`${JSON.stringify(page)}\n`)
    return
  }
  const rows = shown.map((one) => [
    String(one.no),
    one.type,
    one.state,
    String(one.attempts),
    one.lastError ?? '-',
    nextAttempt(one, now),
  ])
  terminal.stdout.write(
    rows.length > 0 ? formatTable(HEADING, rows) : 'There are no such deliveries.\n',
  )
  if (more !== undefined) terminal.stderr.write(`There are more: add --after ${more}\n`)
}

function nextAttempt({ state, nextAttemptAt }: DeliveryView, now: number): string {
  if (state === 'dead') return '-'
  // Until the one before it has arrived or is given up.
  if (nextAttemptAt === null) return 'in its turn'
  return nextAttemptAt <= now ? 'now' : `in ${Math.ceil((nextAttemptAt - now) / 1_000)} s`
}

function describe({ createdAt, nextAttemptAt, deadAt, ...rest }: DeliveryView) {
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
  return {
    ...rest,
    createdAt: iso(createdAt),
    nextAttemptAt: iso(nextAttemptAt),
    deadAt: iso(deadAt),
  }
}
