import fp from 'fastify-plugin'
import { deviceOf } from '../src/http/client-address.ts'
import type { Device } from '../src/sessions/device.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Where the request came from, for the record of sessions and events. */
    device: Device
  }
}

/** Decorates requests with `device`. */
export const device = fp(
  async (app) => {
    app.decorateRequest('device', {
      getter() {
        return deviceOf(this)
      },
    })
  },
  { name: 'pawl-device' },
)
