import argon2 from 'argon2'
import { decodeBase64, demand, type HashFormat } from './stored-hash.ts'

/** KiB. */
const MAX_MEMORY = 1_048_576
/** Memory times passes, in KiB: the work of a second or two. */
const MAX_WORK = 2_097_152
const MAX_PARALLELISM = 64

const TYPES = { argon2d: argon2.argon2d, argon2i: argon2.argon2i, argon2id: argon2.argon2id }
type Variant = keyof typeof TYPES

const PHC = new RegExp(
  '^\\$(argon2(?:id|i|d))(?:\\$v=(?:16|19))?' +
    '\\$m=(\\d+),t=(\\d+),p=(\\d+)(?:,keyid=([\\w+/]+))?' +
    '\\$([\\w+/]+)\\$([\\w+/]+)$',
)
const FAMILY = /^(argon2(?:id|i|d))-m(\d+)-t(\d+)-p(\d+)$/

export interface Argon2Parameters {
  variant: Variant
  /** KiB. */
  memory: number
  passes: number
  parallelism: number
}

/** Every combination of parameters is a family: their costs cannot be added up. */
export function argon2Family({ variant, memory, passes, parallelism }: Argon2Parameters): string {
  return `${variant}-m${memory}-t${passes}-p${parallelism}`
}

function toParameters([, variant, memory, passes, parallelism]: RegExpExecArray) {
  return {
    variant: variant as Variant,
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
  }
}

/** Argon2 in all variants, in the format of RFC 9106's reference implementation. */
export const argon2Format: HashFormat = {
  parse(text) {
    const match = PHC.exec(text)
    if (!match) return undefined
    const parameters = toParameters(match)
    const { memory, passes, parallelism } = parameters
    demand(
      memory <= MAX_MEMORY && memory * passes <= MAX_WORK,
      `costs too much: m is at most ${MAX_MEMORY}, and m times t at most ${MAX_WORK}`,
    )
    demand(
      parallelism >= 1 && parallelism <= MAX_PARALLELISM && memory >= 8 * parallelism,
      `has a p that is not from 1 to ${MAX_PARALLELISM} and at most an eighth of m`,
    )
    demand(passes >= 1, 'has a t below 1')
    demand(decodeBase64(match[6] ?? '').length >= 8, 'has a salt of less than 8 bytes')
    demand(decodeBase64(match[7] ?? '').length >= 16, 'has a hash of less than 16 bytes')
    return {
      family: argon2Family(parameters),
      cost: 1,
      pepperId: match[5],
      verify: (password, secret) => argon2.verify(text, password, secret && { secret }),
    }
  },

  spend(family, from) {
    const match = FAMILY.exec(family)
    if (!match) return undefined
    const { variant, memory, passes, parallelism } = toParameters(match)
    if (from > 0) return Promise.resolve()
    return argon2.hash('', {
      type: TYPES[variant],
      memoryCost: memory,
      timeCost: passes,
      parallelism,
    })
  },
}
