import fp from 'fastify-plugin'
import { Counter, Gauge, Registry } from 'prom-client'

interface Metrics {
  /** Counts a refresh by its outcome. */
  countRefresh(outcome: string): void
  /** Adds a gauge whose value is read at each scrape. */
  gauge(name: string, help: string, read: () => number): void
  /** Adds a counter with one label. Returns what increments it for a value of the label. */
  counter(name: string, help: string, label: string): (value: string, by?: number) => void
  /** Returns all metrics in the text format of Prometheus. */
  text(): Promise<string>
}

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Metrics
  }
}

/** Decorates the instance with `metrics`, which has a registry of its own. */
export const metrics = fp(
  async (app) => {
    const registry = new Registry()
    const registers = [registry]
    const refreshes = new Counter({
      name: 'pawl_refreshes_total',
      help: 'Refreshes by outcome: rotated, replayed, healed, reused, expired, unknown, invalid',
      labelNames: ['outcome'],
      registers,
    })
    app.decorate('metrics', {
      countRefresh: (outcome) => refreshes.inc({ outcome }),
      gauge(name, help, read) {
        const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) })
      },
      counter(name, help, label) {
        const counter = new Counter({ name, help, labelNames: [label], registers })
        return (value, by = 1) => counter.inc({ [label]: value }, by)
      },
      text: () => registry.metrics(),
    } satisfies Metrics)
  },
  { name: 'pawl-metrics' },
)
