/**
 * Sends requests at a fixed pace, without waiting for the responses, and prints how long they took
 * in milliseconds. The time of a request starts when it is due, so that a delay caused by another
 * request counts too.
 *
 * Arguments: URL of the server, file with requests, requests per second, number of seconds.
 */
import { readFile } from 'node:fs/promises'
import { Agent, request as send } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Request } from './contenders/seed.ts'

const [url = '', file = '', pace = '', seconds = ''] = process.argv.slice(2)
const requests = JSON.parse(await readFile(file, 'utf8')) as Request[]
const agent = new Agent({ keepAlive: true })

function ask({ path, headers }: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    send(`${url}${path}`, { agent, headers }, (response) => {
      response.resume()
      response.once('end', () =>
        response.statusCode === 200 ? resolve() : reject(response.statusCode),
      )
    })
      .once('error', reject)
      .end()
  })
}

const interval = 1_000 / Number(pace)
const count = Number(pace) * Number(seconds)
const times: number[] = []
const under: Promise<void>[] = []
const begun = performance.now()
for (let index = 0; index < count; index++) {
  const due = begun + index * interval
  while (performance.now() < due) await delay(due - performance.now())
  const one = requests[index % requests.length]
  if (one) under.push(ask(one).then(() => void times.push(performance.now() - due)))
}
await Promise.all(under)
times.sort((a, b) => a - b)
process.stdout.write(
  JSON.stringify({ p50: times[count >> 1], p99: times[Math.floor(count * 0.99)] }),
)
process.exit(0)
