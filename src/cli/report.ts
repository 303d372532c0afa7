import type { Services } from './services.ts'
import { printJson } from './table.ts'
import type { Terminal } from './terminal.ts'

const IN_FORCE = 'It is in force on every server.'
const COMMITTED =
  'It is committed, but no running server has published it yet. It is in force when one does.'

export interface Outcome {
  /** What was done, for a person. */
  done: string
  /** The same, for `--json`. */
  facts: object
}

/**
 * Prints the committed change, waits until the servers have published it, and prints whether they
 * have.
 */
export async function report(
  terminal: Terminal,
  { events, publications }: Pick<Services, 'events' | 'publications'>,
  { done, facts }: Outcome,
  json: true | undefined,
): Promise<void> {
  await events.write()
  // This comes before the wait, so that an operator who interrupts it knows what was done.
  if (!json) terminal.stdout.write(`${done}\n`)
  const inForce = await publications.wait()
  if (json) printJson(terminal, { ...facts, inForce })
  else terminal.stdout.write(`${inForce ? IN_FORCE : COMMITTED}\n`)
}
