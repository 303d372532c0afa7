import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The bytes of a file; -1 for a folder. */
type Entry = [path: string, size: number]

/** All that is in a folder: a line that lists it, and then the files. */
export function pack(folder: string): Buffer {
  const entries: Entry[] = []
  const files: Buffer[] = []
  // In this order a folder comes before what is in it.
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const name = path.replaceAll('\\', '/')
    if (statSync(join(folder, path)).isDirectory()) {
      entries.push([name, -1])
    } else {
      const file = readFileSync(join(folder, path))
      entries.push([name, file.length])
      files.push(file)
    }
  }
  return Buffer.concat([Buffer.from(`${JSON.stringify(entries)}\n`), ...files])
}

/** Makes `folder` what was packed. */
export function unpack(packed: Buffer, folder: string): void {
  const end = packed.indexOf('\n')
  const entries: Entry[] = JSON.parse(packed.toString('utf8', 0, end))
  let start = end + 1
  mkdirSync(folder)
  for (const [path, size] of entries) {
    if (size < 0) {
      mkdirSync(join(folder, path))
    } else {
      writeFileSync(join(folder, path), packed.subarray(start, start + size))
      start += size
    }
  }
}
