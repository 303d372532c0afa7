/** A password hash as it is stored, parsed. */
export interface StoredHash {
  /**
   * What makes the hash: hashes of one family differ in nothing but their cost. The text is stored,
   * so it must not change its meaning.
   */
  family: string
  /** The work of one verification, in the unit of the family. */
  cost: number
  /** The id of the pepper that the hash needs, if it needs one. */
  pepperId?: string | undefined
  /** Returns whether this is the hash of the password, with the secret of its pepper. */
  verify(password: string, pepper?: Buffer): Promise<boolean>
}

/** Reads one format, or several that are close. */
export interface HashFormat {
  /**
   * Returns undefined if the text is not of this format. Throws a `RangeError` whose message is for
   * an operator if it is, but its parameters are refused.
   */
  parse(text: string): StoredHash | undefined
  /**
   * Does the work by which a hash of a family at cost `to` exceeds one at cost `from`, which is 0
   * for all of it. Returns undefined if the family is not of this format.
   */
  spend(family: string, from: number, to: number): Promise<unknown> | undefined
}

/** Throws the `RangeError` of `HashFormat.parse` if the condition does not hold. */
export function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw new RangeError(message)
}

/** Decodes base64 in the standard alphabet, with or without padding. */
export function decodeBase64(text: string): Buffer {
  return Buffer.from(text, 'base64')
}

/**
 * Returns the costs that add up to the difference of two powers of two: those from the lower one to
 * half of the higher one. All of the higher one is that one itself.
 */
export function doublings(from: number, to: number): number[] {
  if (from === 0) return [to]
  const costs = []
  for (let cost = from; cost < to; cost *= 2) costs.push(cost)
  return costs
}

export function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value))
}

/** Does one piece of work after the other, so that they use one thread as a verification does. */
export async function spendAll(costs: number[], work: (cost: number) => Promise<unknown>) {
  for (const cost of costs) await work(cost)
}
