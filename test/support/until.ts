import { setTimeout as delay } from 'node:timers/promises'

/** Repeats the check until it holds. It has no deadline, because the runner ends the test. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await delay(5)
}
