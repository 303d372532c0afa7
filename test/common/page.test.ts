import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPage } from '../../src/common/page.ts'

/** Returns a reader of rows after a cursor, as a query by keyset would be. */
const readerOf = (rows: number[]) => (limit: number, after: number) =>
  readPage(
    limit,
    async (count) => rows.filter((row) => row > after).slice(0, count),
    (last) => String(last),
  )

test('Following the cursors returns every row once, in order', async () => {
  const rows = [1, 2, 3, 4, 5, 6, 7]
  const read = readerOf(rows)
  const seen: number[] = []
  let after: string | undefined = '0'
  while (after !== undefined) {
    const page = await read(3, Number(after))
    assert.ok(page.items.length <= 3)
    seen.push(...page.items)
    after = page.next
  }
  assert.deepEqual(seen, rows)
})

test('A page that holds the last row has no cursor, even if it is full', async () => {
  const read = readerOf([1, 2, 3, 4])
  assert.deepEqual(await read(2, 0), { items: [1, 2], next: '2' })
  assert.deepEqual(await read(2, 2), { items: [3, 4] })
  assert.deepEqual(await read(2, 4), { items: [] })
})
