import { InvalidArgumentError, Option } from 'commander'

const MOST_ROWS = 10_000

/** Options that several commands have. */
export const json = () => new Option('--json', 'for programs')
export const yes = () => new Option('--yes', 'do not ask')

export function parseLimit(text: string): number {
  const limit = Number(text)
  if (/^\d{1,5}$/.test(text) && limit >= 1 && limit <= MOST_ROWS) return limit
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MOST_ROWS}.`)
}
