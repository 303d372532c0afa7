/** The bounds that Standard Webhooks sets for a secret, in bytes. */
const MIN_BYTES = 24
const MAX_BYTES = 64

const PREFIX = 'whsec_'

/** While a secret is rotated, the new and the old one sign. */
const MAX_SECRETS = 2

/**
 * Returns the secrets of a comma-separated list, or undefined if one of them is not a Standard
 * Webhooks secret: `whsec_` and padded base64. Every library of that standard accepts this form,
 * while some of them would take other text for base64 and compute a different key from it.
 */
export function parseWebhookSecrets(text: string): string[] | undefined {
  const secrets = text.split(',')
  return secrets.length <= MAX_SECRETS && secrets.every(isWebhookSecret) ? secrets : undefined
}

function isWebhookSecret(text: string): boolean {
  if (!text.startsWith(PREFIX)) return false
  const base64 = text.slice(PREFIX.length)
  const key = Buffer.from(base64, 'base64')
  // Node.js ignores what is not base64, so only the round trip shows that the text was valid.
  const isExact = key.toString('base64') === base64
  return isExact && key.length >= MIN_BYTES && key.length <= MAX_BYTES
}
