import { isLoopbackName } from '../http/origins.ts'

/**
 * Returns whether events may be sent to this URL. Without TLS they may only be sent to this
 * machine, so that they cannot be read on the network.
 */
export function isWebhookUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  const isPrivate = protocol === 'https:' || (protocol === 'http:' && isLoopbackName(hostname))
  return isPrivate && [username, password].every(isDecodable)
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
