// tsc emits only JavaScript: the Lua scripts and the SQL migrations go beside it, on the same relative paths.
import { cpSync } from 'node:fs'

cpSync('src/tokens/lua', 'dist/src/tokens/lua', { recursive: true })
cpSync('drizzle', 'dist/drizzle', { recursive: true })
