import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { me } from './app-requests.ts'
import { openSql } from './database.ts'
import { environment } from './environment.ts'
import { adminToken } from './events/scenarios.ts'
import { build } from './in-process-server.ts'

/** Builds a server with an administrator, and returns the access token of that administrator. */
export async function buildWithAdministrator(t: TestContext) {
  const env = await environment(t, PATIENT)
  const app = await build(t, env)
  const sql = openSql(t, env)
  return { env, app, sql, token: await adminToken(app, sql) }
}

/** A node falls behind on a machine that is busy with other tests. */
const PATIENT = { REVOCATION_MAX_STALENESS: '1m' }

/** Returns the id of the user to whom the access token belongs. */
export const idOf = async (app: FastifyInstance, accessToken: string) =>
  (await me(app, accessToken)).json().id
