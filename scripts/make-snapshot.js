// Creates the database snapshot for the first start of the embedded default. This takes seconds, so
// a snapshot that is still valid is kept.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { snapshotName, writeSnapshot } from '../dist/src/db/embedded-snapshot.js'

const name = snapshotName()
const there = readdirSync('dist').filter((file) => /^embedded-.*\.gz/.test(file))
for (const file of there) if (file !== name) rmSync(join('dist', file))
if (!there.includes(name)) await writeSnapshot(join('dist', name))
