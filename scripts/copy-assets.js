// tsc emits only JavaScript: the Lua scripts, the SQL migrations and the playground go beside it, on the same relative paths.
import { cpSync } from 'node:fs'

for (const folder of ['src/sessions/lua', 'src/revocation/lua', 'drizzle', 'playground'])
  cpSync(folder, `dist/${folder}`, { recursive: true })
