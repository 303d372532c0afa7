/** The floor of a request: the same route without authentication. */
import Fastify from 'fastify'
import { get, offerSeeds, serve } from './seed.ts'

const WHO = { id: '0b9c8a4e-6a0c-4d0e-9d3a-1f3f6f2b7c11', roles: ['user'] }

const app = Fastify()
app.get('/who', async () => WHO)
// The credential is as long as a token, so that all contenders read the same number of bytes.
offerSeeds(app, async ({ count, tokens = count }) =>
  Array.from({ length: tokens }, (_, index) => ({
    authenticate: get('/who', String(index).padStart(600, 'x')),
  })),
)
await serve(app)
