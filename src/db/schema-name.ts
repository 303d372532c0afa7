/** The schema in which Pawl keeps its tables unless DATABASE_SCHEMA names another one. */
export const DEFAULT_SCHEMA = 'pawl'

/** Lower case, so that the name is the same with and without quotes. */
const NAME = /^[a-z_][a-z0-9_]{0,62}$/

/** Returns whether a text can be the name of the schema. Postgres reserves `pg_`. */
export function isSchemaName(text: string): boolean {
  return NAME.test(text) && !text.startsWith('pg_') && text !== 'information_schema'
}

/**
 * Returns a function that puts the name of the schema into the text of a statement, in which every
 * table is qualified with the default one. A text contains no values, because those are parameters.
 */
export function createSchemaRename(name: string): (text: string) => string {
  if (name === DEFAULT_SCHEMA) return (text) => text
  return (text) => text.replaceAll(`"${DEFAULT_SCHEMA}".`, `"${name}".`)
}
