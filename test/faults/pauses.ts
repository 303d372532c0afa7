/** Pauses of many at once, which may be cut short. */
export interface Pauses {
  pause(ms: number): Promise<void>
  /** Every pause ends now; what is begun later is as long as it says. */
  cutShort(): void
  /** Every pause rejects, now and from now on. */
  breakOff(): void
}

interface Waiting {
  timer: NodeJS.Timeout
  resolve: () => void
  reject: (error: Error) => void
}

export function createPauses(): Pauses {
  const waiting = new Set<Waiting>()
  let isBroken = false

  function endAll(how: (one: Waiting) => void): void {
    for (const one of waiting) {
      clearTimeout(one.timer)
      how(one)
    }
    waiting.clear()
  }

  return {
    pause(ms) {
      if (isBroken) return Promise.reject(new Error('broken off'))
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(one)
          resolve()
        }, ms)
        const one = { timer, resolve, reject }
        waiting.add(one)
      })
    },
    cutShort: () => endAll(({ resolve }) => resolve()),
    breakOff() {
      isBroken = true
      endAll(({ reject }) => reject(new Error('broken off')))
    },
  }
}
