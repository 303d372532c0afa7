/**
 * The part of a logger that the domain uses, and that Fastify's logger has. Tokens, passwords and
 * secrets are never passed to it.
 */
export interface Log {
  debug(facts: object, message: string): void
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
}
