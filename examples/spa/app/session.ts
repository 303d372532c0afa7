import { createClient } from 'pawl/client'
import { createAccount } from 'pawl/client/account'

/** The app and its API have one origin. */
const options = { baseUrl: '/' }

/** The client of the page. */
export const auth = createClient(options)

/** What users do with their accounts, in the session of the client. */
export const account = createAccount(auth, options)
