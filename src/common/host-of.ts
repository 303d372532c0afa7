/** Host and port of a URL that was checked, for messages: the rest of it may be a password. */
export function hostOf(url: string): string {
  return new URL(url).host
}
