/** The part of a logger that the domain uses; Fastify's fits. Tokens, passwords and secrets are never passed to it. */
export interface Log {
  debug(facts: object, message: string): void
  info(facts: object, message: string): void
  warn(facts: object, message: string): void
}
