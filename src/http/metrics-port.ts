import type { FastifyInstance } from 'fastify'

/** The media type of the text format of Prometheus. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export interface MetricsPortOptions {
  host: string
  port: number
  /** Returns all metrics. */
  readMetrics: () => Promise<string>
}

/**
 * Serves the metrics on a port of their own for as long as `app` is open. `inner` is the instance
 * that listens there. If the port cannot be used, `app` does not become ready.
 */
export function addMetricsPort(
  app: FastifyInstance,
  inner: FastifyInstance,
  { host, port, readMetrics }: MetricsPortOptions,
): void {
  // A line for each scrape would say nothing.
  inner.get('/metrics', { logLevel: 'warn' }, async (_request, reply) => {
    reply.type(METRICS_TYPE)
    return readMetrics()
  })
  app.addHook('onReady', async () => {
    const listenTextResolver = (address: string) => `Metrics are served at ${address}/metrics`
    await inner.listen({ host, port, listenTextResolver })
  })
  app.addHook('onClose', () => inner.close())
}
