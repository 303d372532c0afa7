/** Random text has more different characters: 32 hexadecimal digits have 14 on average. */
const MIN_CHARACTERS = 8

/** What is wrong with a secret that a person made up. It completes the sentence "NAME …". */
export const NOT_RANDOM = 'must be random, but it repeats itself or has few different characters'

/**
 * Returns whether a text is surely not random: it has few different characters, or it repeats a
 * part of at most half its length.
 */
export function isRepetitive(text: string): boolean {
  if (new Set(text).size < MIN_CHARACTERS) return true
  for (let period = 1; period <= text.length / 2; period++)
    if (text.slice(period) === text.slice(0, text.length - period)) return true
  return false
}
