import { after, before } from 'node:test'
import { type RedisCluster, startCluster } from '../support/services/cluster.ts'
import { testStore } from '../support/sessions/store-conformance.ts'
import { redisStore } from '../support/sessions/stores.ts'

let cluster: RedisCluster | undefined

before(async () => {
  cluster = await startCluster()
})
after(() => cluster?.stop())

testStore(
  'redis cluster',
  redisStore(() => cluster?.url ?? ''),
)
