import { fileURLToPath } from 'node:url'

/** In the sources and in dist alike. */
export const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url))
