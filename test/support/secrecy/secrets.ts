import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'

/** Every text that must not be visible, by what it is. */
export type Secrets = Map<string, string>

export function addSecret(secrets: Secrets, what: string, secret: string): string {
  secrets.set(`${what} (number ${secrets.size})`, secret)
  return secret
}

/** Returns a password that looks the same in JSON, in a query and in a form. */
export const newPassword = (secrets: Secrets) =>
  addSecret(secrets, 'a password', `Uhr-${randomBytes(12).toString('hex')}`)

/** Adds a token and its long parts, each of which is worth something. */
export function addToken(secrets: Secrets, token: string): string {
  const [, payload = '', signature = ''] = token.split('.')
  for (const part of [payload, signature])
    if (part.length > 20) addSecret(secrets, 'a part of a token', part)
  return addSecret(secrets, 'a token', token)
}

export function assertNoSecret(where: string, text: string, secrets: Secrets): void {
  for (const [what, secret] of secrets)
    assert.ok(!text.includes(secret), `${where} contains ${what}`)
  assert.ok(!text.includes('$argon2'), `${where} contains a hash`)
  // This also finds a token that no client received.
  assert.ok(!/eyJ[\w-]+\.[\w-]+\./.test(text), `${where} contains a token`)
}
