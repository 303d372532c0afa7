import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { createWorker } from '../src/common/worker.ts'
import { createRefusalAggregator } from '../src/events/refusal-aggregator.ts'
import { refusalEventOf } from '../src/http/refusal-events.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Records an error as a security event if it is a refusal that says something of attacks. */
    recordRefusal(request: FastifyRequest, error: unknown): void
  }
}

export interface RefusalsOptions {
  /** Renders every error of this scope. */
  renderError: (error: unknown, request: FastifyRequest, reply: FastifyReply) => FastifyReply
}

/** Milliseconds within which refusals of one kind are counted instead of recorded. */
const INTERVAL = 60_000

/** Sets the error handler, and decorates the instance with `recordRefusal`. */
export const refusals = fp(
  async (app, { renderError }: RefusalsOptions) => {
    const aggregator = createRefusalAggregator(app.events.record)
    const flush = createWorker({
      interval: INTERVAL,
      work: async () => {
        aggregator.flush()
        return undefined
      },
    })
    /** The guards of routes record their errors, and the error handler gets them afterwards. */
    const recorded = new WeakSet<object>()

    function recordRefusal(request: FastifyRequest, error: unknown): void {
      const event = refusalEventOf(request, error)
      if (!event || recorded.has(Object(error))) return
      recorded.add(Object(error))
      aggregator.add(event)
    }

    flush.start()
    app.addHook('onClose', async () => {
      await flush.stop()
      aggregator.flush()
    })
    app.decorate('recordRefusal', recordRefusal)
    app.setErrorHandler((error, request, reply) => {
      recordRefusal(request, error)
      return renderError(error, request, reply)
    })
  },
  { name: 'pawl-refusals', dependencies: ['pawl-events'] },
)
