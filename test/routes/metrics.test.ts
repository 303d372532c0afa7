import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refresh, signUp } from '../support/app-requests.ts'
import { build } from '../support/in-process-server.ts'

test('the metrics show the outcomes of refreshes and the lag of the revocations', async (t) => {
  const app = await build(t)
  const { refreshToken } = await signUp(app)
  await refresh(app, refreshToken)
  await refresh(app, refreshToken)
  await refresh(app, 'nonsense')
  const response = await app.inject('/metrics')
  assert.equal(response.statusCode, 200)
  for (const outcome of ['rotated', 'replayed', 'invalid'])
    assert.ok(response.body.includes(`pawl_refreshes_total{outcome="${outcome}"} 1`), response.body)
  const [, lag] = /^revocation_lag_seconds (\S+)$/m.exec(response.body) ?? []
  assert.ok(Number(lag) >= 0 && Number(lag) < 2, lag)
})
