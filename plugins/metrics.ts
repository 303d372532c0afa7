import fp from 'fastify-plugin'
import { Counter, Gauge, Registry } from 'prom-client'

export interface Metrics {
  /** Count what came of a refresh. */
  refreshed(outcome: string): void
  /** Show a value that is read when somebody asks. */
  show(name: string, help: string, read: () => number): void
  /** A function that counts one more, by the value of a label. */
  counter(name: string, help: string, label: string): (value: string) => void
  /** All of it, in the text format of Prometheus. */
  text(): Promise<string>
}

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Metrics
  }
}

/** Decorates the instance with `metrics`, in a registry of its own. */
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
      refreshed: (outcome) => refreshes.inc({ outcome }),
      show(name, help, read) {
        const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) })
      },
      counter(name, help, label) {
        const counter = new Counter({ name, help, labelNames: [label], registers })
        return (value) => counter.inc({ [label]: value })
      },
      text: () => registry.metrics(),
    } satisfies Metrics)
  },
  { name: 'pawl-metrics' },
)
