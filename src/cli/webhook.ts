import { type Command, InvalidArgumentError } from 'commander'
import { validate } from 'uuid'
import type { DeliveryRef } from '../webhook/deliveries.ts'
import { json, limit, yes } from './arguments.ts'
import type { Terminal } from './terminal.ts'
import { type ListOptions, listDeliveries } from './webhook-list.ts'
import { type RetryOptions, retryDeliveries } from './webhook-retry.ts'

const HELP = `
A delivery that has arrived is not listed any more. Until then it is waiting for
its first attempt, trying again and again, or dead, that is, given up after
WEBHOOK_RETRY_FOR.`

/** Adds `pawl webhook …`. */
export function addWebhook(program: Command, terminal: Terminal): void {
  const webhook = program
    .command('webhook')
    .description('list and retry deliveries that the webhook has not accepted')
    .addHelpText('after', HELP)
  webhook
    .command('list')
    .description('list the deliveries that have not arrived, in the order in which they are sent')
    .option('--dead', 'only the dead deliveries')
    .addOption(limit())
    .option('--after <no>', 'start after the delivery with this number', parseNumber)
    .addOption(json())
    .action((options: ListOptions) => listDeliveries(terminal, options))
  webhook
    .command('retry')
    .description('let the running servers retry dead deliveries, in their order')
    .argument('[delivery...]', 'its number in the list, or the id of its event', collectName)
    .option('--all', 'all dead deliveries')
    .addOption(yes())
    .addOption(json())
    .action((names: DeliveryRef[] = [], options: RetryOptions, command: Command) => {
      if (names.length > 0 === Boolean(options.all))
        command.error('error: name either deliveries (by number or event id) or --all')
      return retryDeliveries(terminal, names, options)
    })
}

function parseNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be the number of a delivery in the list.')
}

function collectName(text: string, earlier: DeliveryRef[] = []): DeliveryRef[] {
  if (validate(text)) return [...earlier, text.toLowerCase()]
  if (/^\d{1,15}$/.test(text)) return [...earlier, Number(text)]
  throw new InvalidArgumentError(
    'It must be the number of a delivery in the list, or the id of its event.',
  )
}
