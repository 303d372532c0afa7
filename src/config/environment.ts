import type { Variable } from './variable.ts'
import { ACCOUNT_VARIABLES, PASSWORD_VARIABLES } from './variables/accounts.ts'
import { EVENT_VARIABLES } from './variables/events.ts'
import { MAIL_VARIABLES } from './variables/mail.ts'
import { SERVER_VARIABLES } from './variables/server.ts'
import { SESSION_VARIABLES } from './variables/sessions.ts'
import { STORE_VARIABLES } from './variables/stores.ts'
import { KEY_VARIABLES, TOKEN_VARIABLES } from './variables/tokens.ts'

/** Variables by their key in the configuration: the camel case of their name in the environment. */
export type Variables = Readonly<Record<string, Variable<unknown>>>

/** The values of variables, by the same keys. */
export type Values<V extends Variables> = {
  readonly [Key in keyof V]: V[Key] extends Variable<infer T> ? T : never
}

/** Every variable, by the title of its section in `docs/configuration.md`. */
export const SECTIONS = {
  Stores: STORE_VARIABLES,
  Server: SERVER_VARIABLES,
  Tokens: TOKEN_VARIABLES,
  'Signing keys': KEY_VARIABLES,
  Sessions: SESSION_VARIABLES,
  'Accounts and passwords': ACCOUNT_VARIABLES,
  Mail: MAIL_VARIABLES,
  'Events and the webhook': EVENT_VARIABLES,
} satisfies Record<string, Variables>

export const ENVIRONMENT = {
  ...STORE_VARIABLES,
  ...SERVER_VARIABLES,
  ...TOKEN_VARIABLES,
  ...KEY_VARIABLES,
  ...SESSION_VARIABLES,
  ...ACCOUNT_VARIABLES,
  ...MAIL_VARIABLES,
  ...EVENT_VARIABLES,
}

/** What a command reads that works on the database alone: no secret among it. */
export const DATABASE_ENVIRONMENT = {
  databaseUrl: STORE_VARIABLES.databaseUrl,
  databasePoolSize: STORE_VARIABLES.databasePoolSize,
  databaseSchema: STORE_VARIABLES.databaseSchema,
  dataDir: STORE_VARIABLES.dataDir,
  refreshIdleTtl: SESSION_VARIABLES.refreshIdleTtl,
  ...PASSWORD_VARIABLES,
}
