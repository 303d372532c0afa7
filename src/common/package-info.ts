import { readFileSync } from 'node:fs'

/** Returns the version in package.json, from the sources and from `dist` alike. */
export function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version
    } catch {
      // The other path is the right one.
    }
  }
  return 'unknown'
}
