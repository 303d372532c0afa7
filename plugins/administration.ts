import fp from 'fastify-plugin'
import { type Administration, createAdministration } from '../src/users/administration.ts'
import { createUserRecords } from '../src/users/user-records.ts'

declare module 'fastify' {
  interface FastifyInstance {
    administration: Administration
  }
}

export interface AdministrationOptions {
  /** For tests. */
  clock?: (() => number) | undefined
}

/** Decorates the instance with the service `administration`. */
export const administration = fp(
  async (app, { clock = Date.now }: AdministrationOptions) => {
    const { accounts, userChanges, sessions, events } = app
    const records = createUserRecords(app.database)
    app.decorate(
      'administration',
      createAdministration({ records, accounts, userChanges, sessions, events, clock }),
    )
  },
  { name: 'pawl-administration', dependencies: ['pawl-accounts', 'pawl-sessions'] },
)
