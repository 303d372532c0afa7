import { readFileSync } from 'node:fs'

/** The version in package.json, found from the sources and from dist alike. */
export function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version
    } catch {
      // Not there: the other one.
    }
  }
  return 'unknown'
}
