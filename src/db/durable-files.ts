import { closeSync, fsyncSync, openSync } from 'node:fs'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { FOREIGN } from '../common/private-files.ts'

/** What this file uses of an open file of Emscripten, and of its module. */
interface Stream {
  /** The descriptor that Node.js has of it. A folder has none. */
  nfd?: number
  node: object
}
interface Module {
  NODEFS: {
    stream_ops: { fsync?: (stream: Stream) => number }
    node_ops: {
      /** Creates a file or a folder. */
      mknod(parent: object, name: string, mode: number, dev: number): object
      setattr(node: object, attributes: { mode?: number }): void
    }
    realPath(node: object): string
  }
}

/**
 * Settings with which Postgres waits for `fsync`. Emscripten ignores `fdatasync`, which is the
 * default.
 */
export const DURABLE_PARAMS = ['-c', 'wal_sync_method=fsync']

/**
 * Creates the file system of PGlite on `directory`, with an `fsync` that waits for the disk. The
 * one of `NodeFS` does nothing (https://github.com/electric-sql/pglite/issues/1107), so a power cut
 * would lose acknowledged data. This can be removed when `NodeFS` writes to the disk itself. New
 * files are for the owner alone: Postgres relies on a umask of its own, which Emscripten ignores.
 */
export function createDurableFiles(directory: string): NodeFS {
  const files = new NodeFS(directory)
  const init = files.init.bind(files)
  files.init = async (...args) => {
    const { emscriptenOpts } = await init(...args)
    const change = (module: unknown) => {
      addFsync(module as Module)
      keepPrivate(module as Module)
    }
    return {
      emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), change] },
    }
  }
  return files
}

function addFsync({ NODEFS }: Module): void {
  NODEFS.stream_ops.fsync = ({ nfd, node }) => {
    if (nfd !== undefined) fsyncSync(nfd)
    else syncFolder(NODEFS.realPath(node))
    return 0
  }
}

function keepPrivate({ NODEFS: { node_ops: operations } }: Module): void {
  const { mknod, setattr } = operations
  operations.mknod = (parent, name, mode, dev) => mknod(parent, name, mode & ~FOREIGN, dev)
  // Emscripten also sets the mode of a file that it has just created.
  operations.setattr = (node, { mode, ...others }) =>
    setattr(node, mode === undefined ? others : { ...others, mode: mode & ~FOREIGN })
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
