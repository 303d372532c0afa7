/** `npm run docs` writes the generated documents. `npm run docs -- --check` names stale ones. */
import { findStale, writeDocuments } from './documents.ts'

if (process.argv.includes('--check')) {
  const stale = (await findStale()).map(({ file }) => file)
  if (stale.length > 0) {
    process.stderr.write(`Stale: ${stale.join(', ')}. Run 'npm run docs' and commit the result.\n`)
    process.exitCode = 1
  }
} else {
  for (const file of await writeDocuments()) process.stdout.write(`${file} is written.\n`)
}
