import { loadDatabaseConfig } from '../config/config.ts'
import { createDeliveries, type DeliveryRef } from '../webhook/deliveries.ts'
import { withDatabase } from './database.ts'
import { confirm } from './prompts.ts'
import { printJson } from './table.ts'
import type { Terminal } from './terminal.ts'

export interface RetryOptions {
  all?: true
  yes?: true
  json?: true
}

type Deliveries = ReturnType<typeof createDeliveries>

/** Retries the named deliveries, or all dead ones. Does nothing if one of the names is wrong. */
export async function retryDeliveries(
  terminal: Terminal,
  names: readonly DeliveryRef[],
  { all, yes, json }: RetryOptions,
): Promise<void> {
  await withDatabase(loadDatabaseConfig(terminal.env), async (database) => {
    const deliveries = createDeliveries(database)
    const eventIds = all ? undefined : await findDead(deliveries, names)
    const count = eventIds ? eventIds.length : await deliveries.countDead()
    if (count > 0 && !yes)
      await confirm(
        terminal,
        `${countOf(count)} will be sent again, for up to WEBHOOK_RETRY_FOR, like new ones.`,
      )
    const retried = count > 0 ? await deliveries.retry(eventIds) : []
    if (json) printJson(terminal, { retried })
    else terminal.stdout.write(`${describe(retried.length)}\n`)
  })
}

/** Returns the event ids of the named deliveries. Rejects unless all of them are dead. */
async function findDead(deliveries: Deliveries, names: readonly DeliveryRef[]): Promise<string[]> {
  const found = await deliveries.find(names)
  for (const name of names) {
    const delivery = found.find(({ no, eventId }) => no === name || eventId === name)
    if (!delivery)
      throw new Error(`There is no delivery ${name}. Perhaps it has arrived. Nothing was done.`)
    if (!delivery.isDead)
      throw new Error(
        `The delivery ${name} is not dead: it is still being tried. Nothing was done.`,
      )
  }
  return found.map(({ eventId }) => eventId)
}

const countOf = (count: number) => (count === 1 ? '1 delivery' : `${count} deliveries`)

function describe(count: number): string {
  if (count === 0) return 'No delivery is dead.'
  return `${countOf(count)} will be sent again, within seconds if a server with a webhook runs.`
}
