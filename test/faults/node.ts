/**
 * One of the servers under test: the production server, with a route of an application that costs nothing but the check of
 * the access token. Its environment comes from the harness, and it ends with it.
 */
import './clock.ts'
import { loadConfig } from '../../src/config/config.ts'
import { buildServer } from '../../src/server.ts'

process.on('disconnect', () => process.exit(1))

const config = loadConfig(process.env)
const app = await buildServer(config)
app.get('/guarded', { preHandler: app.authenticate }, async () => ({}))
process.send?.({ url: await app.listen({ host: config.host, port: config.port }) })
