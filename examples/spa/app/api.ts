import { auth } from './session.ts'

/** Calls our API as whoever is signed in. Rejects with what the server says, fit to be shown. */
export async function call<T>(path: string, body?: object): Promise<T> {
  const request = body && {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
  const answer = await auth.fetch(path, request)
  if (answer.ok) return answer.json()
  const { title, detail } = await answer.json()
  throw new Error(detail ?? title)
}
