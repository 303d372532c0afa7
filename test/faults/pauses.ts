/** Pauses of many clients at once, which can be cut short. */
export interface Pauses {
  pause(ms: number): Promise<void>
  /** Ends every current pause. Later pauses have their full length. */
  cutShort(): void
  /** Rejects every pause, the current ones and all later ones. */
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
      if (isBroken) return Promise.reject(new Error('aborted'))
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
      endAll(({ reject }) => reject(new Error('aborted')))
    },
  }
}
