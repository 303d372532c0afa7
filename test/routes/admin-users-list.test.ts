import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildWithAdministrator } from '../support/administrator.ts'
import { call } from '../support/app-requests.ts'

test('users are found by the beginning of their address, on several pages', async (t) => {
  const { app, token, sql } = await buildWithAdministrator(t)
  const addresses = ['ann', 'ann_x', 'annax', 'ann%y', 'anna', 'bob', 'zoe~']
  await sql`
    insert into users (id, email, password_hash)
    select gen_random_uuid(), name || '@example.com', 'none'
    from unnest(${addresses}::text[]) as name`
  const find = async (email: string, limit = 100): Promise<string[]> => {
    const found: string[] = []
    let next: string | undefined
    do {
      const query = new URLSearchParams({
        email,
        limit: String(limit),
        ...(next && { cursor: next }),
      })
      const page = await call(app, token, 'GET', `/admin/users?${query}`)
      assert.equal(page.statusCode, 200, page.body)
      const { users } = page.json()
      assert.ok(users.length <= limit && users.length > 0)
      found.push(...users.map(({ email }: { email: string }) => email.split('@')[0]))
      next = page.json().next
    } while (next)
    return found
  }
  // Ordered by the bytes of the whole address: % comes before @, and _ after it.
  assert.deepEqual(await find('ANN'), ['ann%y', 'ann', 'ann_x', 'anna', 'annax'])
  assert.deepEqual(await find('ann_'), ['ann_x'])
  assert.deepEqual(await find('ann%'), ['ann%y'])
  assert.deepEqual(await find('zoe~@example.com'), ['zoe~'])
  for (const limit of [1, 2, 3, 5])
    assert.deepEqual(await find('ann', limit), ['ann%y', 'ann', 'ann_x', 'anna', 'annax'])
  const nobody = await call(app, token, 'GET', '/admin/users?email=nobody')
  assert.deepEqual(nobody.json(), { users: [] })
  const all = (await call(app, token, 'GET', '/admin/users')).json().users
  assert.equal(all.length, addresses.length + 1)
  assert.deepEqual(Object.keys(all[0]).sort(), ['createdAt', 'email', 'id', 'roles', 'status'])
})

test('pages have no gaps and no repetitions while users are added and deleted', async (t) => {
  const { app, token, sql } = await buildWithAdministrator(t)
  const add = (...names: string[]) => sql`
    insert into users (id, email, password_hash)
    select gen_random_uuid(), name || '@page.example', 'none'
    from unnest(${names}::text[]) as name`
  await add('u1', 'u3', 'u5', 'u7', 'u9')
  const page = async (cursor = '') => {
    const response = await call(
      app,
      token,
      'GET',
      `/admin/users?email=u&limit=2${cursor && `&cursor=${cursor}`}`,
    )
    return response.json() as { users: { email: string }[]; next?: string }
  }
  const names = ({ users }: { users: { email: string }[] }) =>
    users.map(({ email }) => email.slice(0, 2))
  const first = await page()
  assert.deepEqual(names(first), ['u1', 'u3'])
  // The last user of the page is deleted, and others are added before and after it.
  await sql`delete from users where email = 'u3@page.example'`
  await add('u2', 'u4')
  const second = await page(first.next)
  assert.deepEqual(names(second), ['u4', 'u5'])
  const third = await page(second.next)
  assert.deepEqual(names(third), ['u7', 'u9'])
  assert.equal(third.next, undefined)
})
