/**
 * One of the servers under test: the production server, plus an application route that costs
 * nothing but the check of the access token. The harness passes its environment, and it ends with
 * the harness.
 */
import './clock.ts'
import { loadConfig } from '../../src/config/config.ts'
import { buildServer } from '../../src/server.ts'

process.on('disconnect', () => process.exit(1))

const config = loadConfig(process.env)
const app = await buildServer(config)
app.get('/guarded', { preHandler: app.authenticate }, async () => ({}))
process.send?.({ url: await app.listen({ host: config.host, port: config.port }) })
