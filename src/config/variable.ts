import { parseDuration } from './duration.ts'

/** A setting that is read from one environment variable. */
export interface Variable<T> {
  readonly name: string
  /** What the setting does, as Markdown for `docs/configuration.md`. */
  readonly description: string
  /** What a value must be. It completes the sentence "NAME must be …". */
  readonly format: string
  isValid(text: string): boolean
  /** Returns what is wrong with a text that is not valid, if more is known than the format. */
  problemOf?(text: string): string | undefined
  /** Returns the value of a text that is valid. */
  parse(text: string): T
  /** The text that counts if the variable is not set. */
  readonly default?: string
  /** The default as Markdown, if it depends on other variables. */
  readonly computedDefault?: string
  /** The variable that makes this one necessary. */
  readonly requiredWith?: string
}

type Facts = Pick<Variable<unknown>, 'description' | 'computedDefault' | 'requiredWith'>
type FactsWithDefault = Pick<Variable<unknown>, 'description'> & { default: string }

/** Returns a variable that always has a value. */
export function variable<T>(
  name: string,
  facts: Omit<Variable<T>, 'name'> & { default: string },
): Variable<T> {
  return { name, ...facts }
}

/** Returns a variable whose value is undefined if it is not set. */
export function optional<T>(
  name: string,
  facts: Omit<Variable<T>, 'name' | 'default'>,
): Variable<T | undefined> {
  return { name, ...facts }
}

/** Returns an optional variable whose value is its text. */
export function optionalText(
  name: string,
  facts: Facts & Pick<Variable<string>, 'format' | 'isValid' | 'problemOf'>,
): Variable<string | undefined> {
  return optional(name, { parse: String, ...facts })
}

/** Returns an optional variable that is a URL with one of the given schemes. */
export function optionalUrl(
  name: string,
  schemes: readonly string[],
  facts: Facts,
): Variable<string | undefined> {
  const starts = schemes.map((scheme) => `${scheme}://`)
  return optionalText(name, {
    format: `a URL that starts with ${starts.join(' or ')}`,
    isValid: (text) =>
      starts.some((start) => text.startsWith(start) && text !== start) && URL.canParse(text),
    ...facts,
  })
}

/** Returns a variable that is a whole number within these bounds, both inclusive. */
export function wholeNumber(
  name: string,
  [minimum, maximum]: readonly [number, number],
  facts: FactsWithDefault,
): Variable<number> {
  return variable(name, {
    format: `a whole number from ${minimum} to ${maximum}`,
    isValid: (text) => /^\d{1,9}$/.test(text) && Number(text) >= minimum && Number(text) <= maximum,
    parse: Number,
    ...facts,
  })
}

/** Returns a variable that is a duration. Its value is in milliseconds. */
export function duration(
  name: string,
  { shortest, ...facts }: FactsWithDefault & { shortest: string },
): Variable<number> {
  return variable(name, {
    format: `a duration such as 15m, at least ${shortest}`,
    isValid: (text) => isDuration(text, shortest),
    parse: milliseconds,
    ...facts,
  })
}

/** Returns a variable that is a duration, in milliseconds, or `off`, which is undefined. */
export function durationOrOff(
  name: string,
  { shortest, ...facts }: FactsWithDefault & { shortest: string },
): Variable<number | undefined> {
  return variable(name, {
    format: `off, or a duration such as 15m, at least ${shortest}`,
    isValid: (text) => text === 'off' || isDuration(text, shortest),
    parse: (text) => (text === 'off' ? undefined : milliseconds(text)),
    ...facts,
  })
}

/** Ten years. Anything longer is a typing error, and its times do not fit the packed session. */
const LONGEST = '3650d'

function isDuration(text: string, shortest: string): boolean {
  const ms = milliseconds(text)
  return ms >= milliseconds(shortest) && ms <= milliseconds(LONGEST)
}

function milliseconds(text: string): number {
  return parseDuration(text) ?? Number.NaN
}

/** Returns a variable that is one of two words, of which the first means yes. */
export function flag(
  name: string,
  [yes, no]: readonly [string, string],
  facts: FactsWithDefault,
): Variable<boolean> {
  return variable(name, {
    format: `${yes} or ${no}`,
    isValid: (text) => text === yes || text === no,
    parse: (text) => text === yes,
    ...facts,
  })
}

/** Returns a variable that is one of these words. */
export function oneOf<const T extends string>(
  name: string,
  words: readonly T[],
  facts: FactsWithDefault & { default: NoInfer<T> },
): Variable<T> {
  return variable(name, {
    format: `one of ${words.join(', ')}`,
    isValid: (text) => words.some((word) => word === text),
    parse: (text) => text as T,
    ...facts,
  })
}

/** Returns the items of a comma-separated list, without the spaces around them. */
export function splitList(text: string): string[] {
  return text === '' ? [] : text.split(',').map((item) => item.trim())
}
