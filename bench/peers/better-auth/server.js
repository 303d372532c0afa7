import { createApp, start } from './app.js'
import { createAuth } from './auth.js'
import { addUsers, openSessions } from './sessions.js'

const auth = await createAuth()

await start(createApp(auth), async (count) => {
  const sessions = await openSessions(auth, await addUsers(count))
  return sessions.map(({ authenticate, revoke }) => ({ authenticate, revoke }))
})
