import type { TSchema } from '@sinclair/typebox'

/** A symbol, so that the OpenAPI document does not contain it. */
const RULE = Symbol('rule')

/**
 * Returns the schema with its rule in words for people, such as `must be an e-mail address`. A
 * response that refuses a value contains them instead of the pattern.
 */
export function explained<T extends TSchema>(rule: string, schema: T): T {
  return { ...schema, [RULE]: rule }
}

/** Returns the rule of an explained schema in words. */
export function ruleOf(schema: TSchema): string | undefined {
  return (schema as { [RULE]?: string })[RULE]
}
