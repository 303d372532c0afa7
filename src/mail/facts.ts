import bowser from 'bowser'
import type { NoticeMail } from './mail.ts'

/** Names that Bowser has a pattern for. For anything else it quotes the text of the client. */
const KNOWN_NAMES = new Set<string>([
  ...Object.values(bowser.BROWSER_MAP),
  ...Object.values(bowser.OS_MAP),
])

/** Returns what the text of a notice mentions, in words. */
export function toFacts({ at, device, newAddress }: NoticeMail): Record<string, string> {
  return {
    at: `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    device: deviceName(device?.userAgent),
    ip: device?.ip || 'unknown',
    ...(newAddress !== undefined && { newAddress }),
  }
}

/**
 * Returns the names of browser and system. No other text of a client gets into a mail: whoever
 * causes a notice could otherwise write to the user in the name of the service.
 */
function deviceName(userAgent = ''): string {
  if (!userAgent) return 'an unknown device'
  const { browser, os } = bowser.parse(userAgent)
  const names = [browser.name, os.name].filter((name) => name && KNOWN_NAMES.has(name))
  return names.join(' on ') || 'an unknown device'
}
