import fp from 'fastify-plugin'
import { type CodeRecords, createCodeRecords } from '../src/codes/code-records.ts'
import { createCleanupWorker } from '../src/common/cleanup-worker.ts'

declare module 'fastify' {
  interface FastifyInstance {
    codes: CodeRecords
  }
}

export interface CodesOptions {
  /** For tests. */
  clock?: (() => number) | undefined
}

/** Decorates the instance with `codes`, the codes that mails carry, and deletes expired ones. */
export const codes = fp(
  async (app, { clock = Date.now }: CodesOptions) => {
    const records = createCodeRecords(app.database, clock)
    const cleanup = createCleanupWorker([records.deleteExpired], app.log)
    cleanup.start()
    app.addHook('onClose', cleanup.stop)
    app.decorate('codes', records)
  },
  { name: 'pawl-codes', dependencies: ['pawl-database'] },
)
