import type { TokenPair } from '../../src/schemas/token-pair.ts'
import { newRetryKey } from '../support/credentials.ts'
import type { HonestClient, HonestClientOptions } from './honest-client.ts'
import { GRACE } from './system.ts'

/**
 * Copies the newest refresh token of a client at some moment, uses it later (the client may have
 * used it by then, or not), and continues with the tokens that it gets until it is refused. Returns
 * the last pair that it got.
 */
export async function steal(
  client: HonestClient,
  { calls, random, isOver, pause }: HonestClientOptions,
): Promise<TokenPair | undefined> {
  await pause(random.between(0, 6_000))
  let token = client.stored().refreshToken
  let loot: TokenPair | undefined
  // The thief either follows the victim closely or takes their time.
  const pace = random.chance(0.3) ? [100, GRACE] : [GRACE / 2, 2.5 * GRACE]
  while (!isOver()) {
    await pause(random.between(pace[0] ?? 0, pace[1] ?? 0))
    const key = random.chance(0.5) ? newRetryKey() : undefined
    for (;;) {
      const { status, pair } = await calls.refresh({
        session: client.session,
        party: 'thief',
        token,
        key,
      })
      if (status === 401) return loot
      if (pair) {
        loot = pair
        token = pair.refreshToken
        break
      }
      if (isOver()) return loot
      await pause(random.between(50, 300))
    }
    await calls.access(client.session, loot.accessToken)
  }
  return loot
}
