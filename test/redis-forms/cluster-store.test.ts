import { after, before } from 'node:test'
import { type RedisCluster, startCluster } from '../services/cluster.ts'
import { testStore } from '../tokens/store-conformance.ts'
import { redisStore } from '../tokens/stores.ts'

let cluster: RedisCluster | undefined

before(async () => {
  cluster = await startCluster()
})
after(() => cluster?.stop())

testStore(
  'redis cluster',
  redisStore(() => cluster?.url ?? ''),
)
