// tsc emits only JavaScript. This copies the Lua scripts, the mail templates, the SQL migrations and
// the playground into dist, with the same relative paths.
import { cpSync } from 'node:fs'

for (const folder of [
  'src/sessions/lua',
  'src/revocation/lua',
  'src/healing/lua',
  'src/mail/templates',
  'src/guesses/lua',
  'drizzle',
  'playground',
])
  cpSync(folder, `dist/${folder}`, { recursive: true })
