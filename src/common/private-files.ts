import { constants } from 'node:fs'
import { chmod, lstat, mkdir, open, rm, stat } from 'node:fs/promises'

/** Read, write and enter for the owner, and nothing for anybody else. */
export const PRIVATE_FOLDER = 0o700
export const PRIVATE_FILE = 0o600

/** The permissions of the group and of others to write. */
const FOREIGN_WRITE = 0o022
/** All permissions of the group and of others. */
export const FOREIGN = 0o077
/** Windows has no such flag. It needs a privilege to create links. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0

/**
 * Makes sure that a folder is there into which nobody else can put a file. A new one has the mode
 * 0700, whatever the umask is. Throws if there is one that belongs to another user, or that others
 * can write to.
 */
export async function requirePrivateFolder(path: string): Promise<void> {
  const created = await mkdir(path, { recursive: true, mode: PRIVATE_FOLDER })
  if (created !== undefined) await chmod(path, PRIVATE_FOLDER)
  // A link to the folder counts as well: its owner can turn it to another one.
  for (const { uid } of [await lstat(path), await stat(path)])
    if (!isOwn(uid))
      throw new Error(`the folder ${path} belongs to another user. Use one that is not there yet.`)
  const { mode } = await stat(path)
  if (process.getuid && mode & FOREIGN_WRITE)
    throw new Error(`other users can write to the folder ${path}. Run: chmod 700 ${path}`)
}

/**
 * Creates a file that only this user can read, and waits until it is on the disk. It replaces a
 * file that a process has left behind.
 */
export async function replacePrivateFile(path: string, content: string): Promise<void> {
  // This removes a link itself, and not the file that it leads to.
  await rm(path, { force: true })
  await createPrivateFile(path, content)
}

/** Throws if there is anything of this name, a link included. */
async function createPrivateFile(path: string, content: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW
  const file = await open(path, flags, PRIVATE_FILE)
  try {
    // The umask may have taken permissions away.
    await file.chmod(PRIVATE_FILE)
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * Returns the content of a file of this user, and takes permissions to it from everybody else.
 * Throws if the file belongs to another user or is a link, and an `ENOENT` if there is none.
 */
export async function readPrivateFile(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | NO_FOLLOW)
  try {
    const { uid, mode } = await file.stat()
    if (!isOwn(uid)) throw new Error(`${path} belongs to another user`)
    if (mode & FOREIGN) await file.chmod(PRIVATE_FILE)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/** Windows has no numbers for owners. */
function isOwn(uid: number): boolean {
  return process.geteuid === undefined || process.geteuid() === uid
}
