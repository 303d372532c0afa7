import { auth } from './session.ts'

/** Calls our API as the signed-in user. Rejects with the server's message, which we can show. */
export async function call<T>(path: string, body?: object): Promise<T> {
  const request = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
  const response = await auth.fetch(path, request)
  if (response.ok) return response.json()
  const { title, detail } = await response.json()
  throw new Error(detail ?? title)
}
