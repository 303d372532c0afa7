import { type Comparison, interleave, type Settings } from '../comparison.ts'
import { startFloor, startPawl, withStores } from '../launch.ts'
import { attack } from '../wrk.ts'

const USERS = 2_000
/** More than the hashes that run at once, and fewer than the queue of logins holds. */
const CONNECTIONS = 8

/** Compares logins per second, with the hash parameters that OWASP recommends. */
export function login({ quick }: Settings): Promise<Comparison> {
  const duration = quick ? 3_000 : 5_000
  return withStores(async (stores) => {
    const floor = await startFloor(stores, 'argon2.verify', 'argon2')
    const pawl = await startPawl(stores)
    const sessions = await pawl.seed({ count: quick ? 50 : USERS })
    const logins = sessions.flatMap((session) => session.login ?? [])
    const hashes = async () => {
      const { perSecond } = (await (await fetch(`${floor.url}/?ms=${duration}`)).json()) as {
        perSecond: number
      }
      return perSecond
    }
    const measure = async ({ name }: { name: string }, round: number) => {
      if (name === floor.name) return hashes()
      // Each round starts with other users, so that no user logs in often enough to have a session
      // evicted.
      const turn = logins.slice(round * 400).concat(logins.slice(0, round * 400))
      return (await attack(pawl.url, turn, { duration, connections: CONNECTIONS })).perSecond
    }
    if (!quick) for (const contender of [floor, pawl]) await measure(contender, 0)
    return {
      title: 'Login',
      unit: 'logins/s',
      figures: await interleave([floor, pawl], quick ? 1 : 5, measure),
      targets: [{ figure: 'Pawl', per: 'argon2.verify', is: 'at least', value: 0.95 }],
      notes: [
        'Both run as many hashes at once as there are cores: argon2id, m=19456 KiB, t=2, p=1.',
      ],
    }
  })
}
