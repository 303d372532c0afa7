import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../common/private-files.ts'

/** A file and its size in bytes, or a folder and -1. */
type Entry = [path: string, size: number]

/** Returns the contents of a folder: one line of JSON that lists the entries, then the files. */
export function pack(folder: string): Buffer {
  const entries: Entry[] = []
  const files: Buffer[] = []
  // In this order, a folder precedes its contents.
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

/**
 * Creates `folder` with the contents that were packed, for this user alone, and waits until they
 * are on the disk.
 */
export function unpack(packed: Buffer, folder: string): void {
  const end = packed.indexOf('\n')
  const entries: Entry[] = JSON.parse(packed.toString('utf8', 0, end))
  let start = end + 1
  createFolder(folder)
  for (const [path, size] of entries) {
    if (size < 0) {
      createFolder(join(folder, path))
    } else {
      const file = join(folder, path)
      const options = { flush: true, flag: 'wx', mode: PRIVATE_FILE }
      writeFileSync(file, packed.subarray(start, start + size), options)
      chmodSync(file, PRIVATE_FILE)
      start += size
    }
  }
}

/** The umask may take permissions away from the mode of `mkdir`. */
function createFolder(path: string): void {
  mkdirSync(path, { mode: PRIVATE_FOLDER })
  chmodSync(path, PRIVATE_FOLDER)
}
