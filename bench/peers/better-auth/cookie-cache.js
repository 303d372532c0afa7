import { mapInBatches } from '../common/seed.js'
import { createApp, start } from './app.js'
import { createAuth } from './auth.js'
import { addUsers, openSessions } from './sessions.js'

/**
 * The maximum age, in seconds, is that of the documentation's example. A revoked session stays
 * valid for up to that time.
 */
const auth = await createAuth({ session: { cookieCache: { enabled: true, maxAge: 5 * 60 } } })
const { authCookies } = await auth.$context

/**
 * Returns the request with the cookie of the cache. The first response sets that cookie, and a
 * browser sends it from then on.
 */
async function withCache({ method, path, headers: { cookie } }) {
  const { headers } = await auth.api.getSession({
    headers: new Headers({ cookie }),
    returnHeaders: true,
  })
  const name = authCookies.sessionData.name
  const data = headers.getSetCookie().find((set) => set.startsWith(`${name}=`))
  return { method, path, headers: { cookie: `${cookie}; ${data.slice(0, data.indexOf(';'))}` } }
}

await start(createApp(auth), async (count) => {
  const sessions = await openSessions(auth, await addUsers(count))
  return mapInBatches(sessions, async ({ authenticate }) => ({
    authenticate: await withCache(authenticate),
  }))
})
