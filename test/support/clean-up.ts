import type { TestContext } from 'node:test'

const stacks = new WeakMap<TestContext, (() => Promise<unknown>)[]>()

/** Runs the step after the test. Steps run in reverse order, so that users stop before servers. */
export function cleanUp(t: TestContext, step: () => Promise<unknown>): void {
  const stack = stacks.get(t) ?? []
  if (stack.push(step) > 1) return
  stacks.set(t, stack)
  t.after(async () => {
    for (const last of stack.reverse()) await last()
  })
}
