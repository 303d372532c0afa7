/** Returns the host and port of a valid URL, for messages: the rest of it may be a password. */
export function hostOf(url: string): string {
  return new URL(url).host
}
