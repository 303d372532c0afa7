import { createClient } from 'pawl/client'

/** The client of the page. The app and its API have one origin. */
export const auth = createClient({ baseUrl: '/' })
