import { cpus, totalmem } from 'node:os'
import { revocation } from './revocation.ts'

const BENCHES: Record<string, () => Promise<string>> = { revocation }

const names = process.argv.slice(2)
const unknown = names.filter((name) => !BENCHES[name])
if (unknown.length > 0) {
  process.stderr.write(
    `There is no bench ${unknown.join(', ')}. There is: ${Object.keys(BENCHES).join(', ')}\n`,
  )
  process.exit(2)
}
const memory = Math.round(totalmem() / 2 ** 30)
process.stdout.write(`Node ${process.version}, ${cpus().length} cores, ${memory} GiB\n\n`)
for (const [name, bench] of Object.entries(BENCHES)) {
  if (names.length === 0 || names.includes(name)) process.stdout.write(`${name}: ${await bench()}\n\n`)
}
process.exit(0)
