import { Kind, type TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Value, type ValueError, ValueErrorType } from '@sinclair/typebox/value'
import type { FieldError } from '../errors.ts'
import { ruleOf } from '../schemas/explained.ts'

/** Maximum number of mismatches that one response names. */
const MAX_ERRORS = 10

/** A mismatch in the form in which Fastify passes it to the error handler. */
export interface Mismatch {
  keyword: string
  instancePath: string
  schemaPath: string
  params: Record<string, unknown>
  message: string
}

/**
 * Compiles a schema to a function that validates a part of a request. Parameters, queries and
 * headers are text, so they are converted first; bodies are not.
 */
export function compileValidator({ schema, httpPart }: { schema: TSchema; httpPart?: string }) {
  const check = TypeCompiler.Compile(schema)
  return (value: unknown): { value: unknown } | { error: Mismatch[] } => {
    const converted = httpPart === 'body' ? value : Value.Convert(schema, value)
    if (check.Check(converted)) return { value: converted }
    return { error: mismatchesOf(check.Errors(converted)) }
  }
}

/** Returns what a form shows beside its fields. */
export function toFieldErrors(mismatches: readonly Partial<Mismatch>[]): FieldError[] {
  return mismatches.map(({ instancePath = '', message = UNKNOWN }) => {
    const field = instancePath.slice(1).replaceAll('/', '.')
    return { field, message }
  })
}

/** Returns the first mismatch of each place. */
function mismatchesOf(errors: Iterable<ValueError>): Mismatch[] {
  const found = new Map<string, Mismatch>()
  for (const error of flatten(errors)) {
    const instancePath = placeOf(error)
    if (!found.has(instancePath)) found.set(instancePath, toMismatch(error, instancePath))
    if (found.size === MAX_ERRORS) break
  }
  return [...found.values()]
}

function toMismatch(error: ValueError, instancePath: string): Mismatch {
  const keyword = ValueErrorType[error.type] ?? ''
  return { keyword, instancePath, schemaPath: '', params: {}, message: messageOf(error) }
}

/** If an object matches no variant of a union, what is wrong with it says more than the union. */
function* flatten(errors: Iterable<ValueError>): Generator<ValueError> {
  for (const error of errors) {
    const index = error.type === ValueErrorType.Union ? objectVariant(error) : -1
    const variant = error.errors[index]
    if (variant) yield* flatten(variant)
    else yield error
  }
}

function objectVariant({ schema, value }: ValueError): number {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? variantsOf(schema).findIndex((variant) => variant[Kind] === 'Object') : -1
}

/** The name of an unexpected property was chosen by the client, so it is not repeated. */
function placeOf({ type, path }: ValueError): string {
  const isUnexpected = type === ValueErrorType.ObjectAdditionalProperties
  return isUnexpected ? path.slice(0, path.lastIndexOf('/')) : path
}

const UNKNOWN = 'is not valid'

/**
 * Returns what is wrong in words for people. They contain no part of the value. A schema whose rule
 * is a pattern is explained in words.
 */
function messageOf({ type, schema }: ValueError): string {
  switch (type) {
    case ValueErrorType.ObjectRequiredProperty:
      return 'is required'
    case ValueErrorType.ObjectAdditionalProperties:
      return 'has a property that is not known here'
    case ValueErrorType.ObjectMinProperties:
      return `must have at least ${count(schema.minProperties, 'property', 'properties')}`
    case ValueErrorType.Object:
      return 'must be an object'
    case ValueErrorType.String:
      return 'must be text'
    case ValueErrorType.StringMinLength:
      return schema.minLength === 1
        ? 'must not be empty'
        : `must have at least ${count(schema.minLength, 'character')}`
    case ValueErrorType.StringMaxLength:
      return `must have at most ${count(schema.maxLength, 'character')}`
    case ValueErrorType.StringPattern:
    case ValueErrorType.StringFormat:
      return ruleOf(schema) ?? UNKNOWN
    case ValueErrorType.Number:
    case ValueErrorType.Integer:
      return 'must be a number'
    case ValueErrorType.NumberMinimum:
    case ValueErrorType.IntegerMinimum:
      return `must be at least ${schema.minimum}`
    case ValueErrorType.NumberMaximum:
    case ValueErrorType.IntegerMaximum:
      return `must be at most ${schema.maximum}`
    case ValueErrorType.NumberMultipleOf:
      return schema.multipleOf === 1 ? 'must be a whole number' : UNKNOWN
    case ValueErrorType.Array:
      return 'must be a list'
    case ValueErrorType.ArrayMaxItems:
      return `must have at most ${count(schema.maxItems, 'entry', 'entries')}`
    case ValueErrorType.ArrayUniqueItems:
      return 'must not have an entry twice'
    case ValueErrorType.Literal:
    case ValueErrorType.Union:
      return oneOf(schema)
    default:
      return UNKNOWN
  }
}

const variantsOf = (schema: TSchema): TSchema[] => schema.anyOf ?? []

const count = (n: number, one: string, many = `${one}s`) => `${n} ${n === 1 ? one : many}`

/** Returns which values a literal or a union of literals allows. */
function oneOf(schema: TSchema): string {
  const variants = schema[Kind] === 'Literal' ? [schema] : variantsOf(schema)
  const values = variants.map((variant) => variant.const)
  if (values.length === 0 || values.includes(undefined)) return UNKNOWN
  return values.length === 1 ? `must be ${values[0]}` : `must be one of: ${values.join(', ')}`
}
