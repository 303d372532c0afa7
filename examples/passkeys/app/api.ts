import { startAuthentication, startRegistration } from '@simplewebauthn/browser'
import { createClient, PawlClientError } from 'pawl/client'

export const auth = createClient({ baseUrl: '/' })

/** Sends a request as the signed-in user. Rejects with the server's message. */
async function send(path: string, method = 'GET', body?: object) {
  const response = await auth.fetch(path, {
    method,
    ...(body && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
  if (response.status === 204) return undefined
  const content = await response.json()
  if (!response.ok) throw new PawlClientError(response.status, content)
  return content
}

const post = (path: string, body: object = {}) => send(path, 'POST', body)

export async function signUp(name: string) {
  const optionsJSON = await post('/passkeys/signup/options', { name })
  const response = await startRegistration({ optionsJSON })
  await auth.signIn('../passkeys/signup', { response })
}

/** With a code, the session may open what demands one. */
export async function logIn(code?: string) {
  const optionsJSON = await post('/passkeys/login/options')
  const response = await startAuthentication({ optionsJSON })
  await auth.signIn('../passkeys/login', { response, code })
}

/** Runs work that demands a recent login. If the login is too old, the user logs in again. */
async function withRecentLogin<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!needsLogin(error)) throw error
    await logIn()
    return work()
  }
}

export const needsLogin = (error: unknown) =>
  (error as PawlClientError).code === 'AUTH_REAUTHENTICATION_REQUIRED'

export const addPasskey = () =>
  withRecentLogin(async () => {
    const optionsJSON = await post('/passkeys/addition/options')
    const response = await startRegistration({ optionsJSON })
    await post('/passkeys/addition', { response })
  })

export const enrol = (): Promise<{ uri: string }> => withRecentLogin(() => post('/codes'))
export const confirmCodes = (code: string) => post('/codes/confirmation', { code })
export const openVault = (): Promise<{ content: string }> => send('/vault')
export const account = (): Promise<{ name: string; passkeys: number; hasCodes: boolean }> =>
  send('/account')
