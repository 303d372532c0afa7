import { after, before } from 'node:test'
import { testGuessStore } from '../support/guesses/store-conformance.ts'
import { redisGuessStore } from '../support/guesses/stores.ts'
import { type RedisCluster, startCluster } from '../support/services/cluster.ts'

let cluster: RedisCluster | undefined

before(async () => {
  cluster = await startCluster()
})
after(() => cluster?.stop())

testGuessStore(
  'redis cluster',
  redisGuessStore(() => cluster?.url ?? ''),
)
