import { loadDatabaseConfig } from '../config/config.ts'
import { createDeliveries, type DeliveryRef } from '../webhook/deliveries.ts'
import { confirm } from './confirm.ts'
import { withDatabase } from './database.ts'
import type { Terminal } from './terminal.ts'

export interface RetryOptions {
  all?: true
  yes?: true
  json?: true
}

type Deliveries = ReturnType<typeof createDeliveries>

/** Put the named ones back, or all that are dead. Rejects, and does nothing, where one of the names is of none that is dead. */
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
        `${events(count)} sent to the webhook again, for as long as a new one.`,
      )
    const retried = count > 0 ? await deliveries.retry(eventIds) : []
    if (json) terminal.stdout.write(`${JSON.stringify({ retried })}\n`)
    else terminal.stdout.write(describe(retried.length))
  })
}

async function findDead(deliveries: Deliveries, names: readonly DeliveryRef[]): Promise<string[]> {
  const found = await deliveries.find(names)
  for (const name of names) {
    const delivery = found.find(({ no, eventId }) => no === name || eventId === name)
    if (!delivery) throw new Error(`There is no delivery ${name}: it has arrived, or never was.`)
    if (!delivery.isDead)
      throw new Error(`The delivery ${name} is not dead: it is tried by itself.`)
  }
  return found.map(({ eventId }) => eventId)
}

const events = (count: number) => (count === 1 ? '1 event is' : `${count} events are`)

function describe(count: number): string {
  if (count === 0) return 'No delivery is dead.\n'
  return `${events(count)} sent again: within seconds, where a server with a webhook runs.\n`
}
