import type { DatabaseOptions } from '../db/open.ts'
import { awaitForce, describeForce } from './publications.ts'
import type { Terminal } from './terminal.ts'

export interface Outcome {
  /** For a person: what has been done. */
  done: string
  /** The same for programs. */
  facts: object
  isPublished: () => Promise<boolean>
}

/** Say what is committed, wait until the servers have heard of it, and say whether they have. */
export async function report(
  { stdout }: Terminal,
  options: DatabaseOptions,
  { done, facts, isPublished }: Outcome,
  json: true | undefined,
): Promise<void> {
  // At once: whoever loses patience knows what he has done.
  if (!json) stdout.write(`${done}\n`)
  const inForce = await awaitForce(options, isPublished)
  stdout.write(json ? `${JSON.stringify({ ...facts, inForce })}\n` : `${describeForce(inForce)}\n`)
}
