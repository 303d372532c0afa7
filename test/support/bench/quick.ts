import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findWrk } from '../../../bench/wrk.ts'

const BENCH = fileURLToPath(new URL('../../../bench/run.ts', import.meta.url))

export const bench = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', BENCH, ...args])

/**
 * Checks only that the benchmarks run, because measurements taken beside running tests mean
 * nothing.
 */
export async function runQuickly(t: TestContext, titles: Record<string, RegExp>): Promise<void> {
  try {
    await findWrk()
  } catch (error) {
    if (process.env.CI) throw error
    return t.skip(`${(error as Error).message}: install wrk to run the benchmarks`)
  }
  const { stdout } = await bench('--quick', ...Object.keys(titles))
  for (const title of Object.values(titles)) assert.match(stdout, title)
  const judged = stdout.match(/, at (least|most) [\d.]+: (met|MISSED)$/gm) ?? []
  assert.ok(judged.length >= Object.keys(titles).length, stdout)
  assert.doesNotMatch(stdout, /NaN|undefined/)
}
