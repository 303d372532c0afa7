// tsc emits only JavaScript: the Lua scripts, the SQL migrations and the playground go beside it, on the same relative paths.
import { cpSync } from 'node:fs'

cpSync('src/tokens/lua', 'dist/src/tokens/lua', { recursive: true })
cpSync('drizzle', 'dist/drizzle', { recursive: true })
cpSync('playground', 'dist/playground', { recursive: true })
