import fp from 'fastify-plugin'
import type { Database } from '../src/db/database.ts'
import { type DatabaseOptions, openDatabase } from '../src/db/open.ts'

declare module 'fastify' {
  interface FastifyInstance {
    database: Database
  }
}

/** Decorates the instance with `database`, which closes with the instance. */
export const database = fp(
  async (app, options: DatabaseOptions) => {
    const opened = await openDatabase(options)
    app.decorate('database', opened)
    app.addHook('onClose', () => opened.close())
  },
  { name: 'pawl-database' },
)
