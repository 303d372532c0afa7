import { type Command, InvalidArgumentError } from 'commander'
import { validate } from 'uuid'
import type { DeliveryRef } from '../webhook/deliveries.ts'
import { json, parseLimit, yes } from './arguments.ts'
import type { Terminal } from './terminal.ts'
import { type ListOptions, listDeliveries } from './webhook-list.ts'
import { type RetryOptions, retryDeliveries } from './webhook-retry.ts'

const HELP = `
What the webhook took is not shown any more. A delivery is waiting for its first
attempt, trying again and again, or dead: given up after WEBHOOK_RETRY_FOR.`

/** `pawl webhook …`: what it was not told yet. */
export function addWebhook(program: Command, terminal: Terminal): void {
  const webhook = program
    .command('webhook')
    .description('look at what the webhook did not take, and try it again')
    .addHelpText('after', HELP)
  webhook
    .command('list')
    .description('show the deliveries that have not arrived, in the order in which they are sent')
    .option('--dead', 'only those that were given up')
    .option('--limit <n>', 'so many at most', parseLimit, 100)
    .option('--after <no>', 'only those after this one', parseNumber)
    .addOption(json())
    .action((options: ListOptions) => listDeliveries(terminal, options))
  webhook
    .command('retry')
    .description('have dead deliveries tried again by the running servers, in their order')
    .argument('[delivery...]', 'its number in the list, or the id of its event', collectName)
    .option('--all', 'all that are dead')
    .addOption(yes())
    .addOption(json())
    .action((names: DeliveryRef[] = [], options: RetryOptions, command: Command) => {
      if (names.length > 0 === Boolean(options.all))
        command.error('error: say which: numbers of the list, ids of events, or --all')
      return retryDeliveries(terminal, names, options)
    })
}

function parseNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is not a number of the list.')
}

function collectName(text: string, earlier: DeliveryRef[] = []): DeliveryRef[] {
  if (validate(text)) return [...earlier, text.toLowerCase()]
  if (/^\d{1,15}$/.test(text)) return [...earlier, Number(text)]
  throw new InvalidArgumentError('It is neither a number of the list nor the id of an event.')
}
