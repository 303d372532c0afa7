import bowser from 'bowser'

/** What a user knows a device by, as "Firefox on Linux"; null where its user agent says nothing. */
export function deviceLabel(userAgent: string | null): string | null {
  if (!userAgent) return null
  const { browser, os } = bowser.parse(userAgent)
  return [browser.name, os.name].filter(Boolean).join(' on ') || null
}
