export interface HashQueueOptions {
  /** Maximum number of jobs that run at the same time. */
  concurrency: number
  /** Maximum number of jobs that wait. */
  maxWaiting: number
  /** Milliseconds that a job waits at most. */
  maxWait: number
  /** Creates the error of a job that is refused. */
  refusal: () => Error
}

interface Job {
  start(): void
  refuse(): void
}

/**
 * Creates a queue that is fair between groups of clients: the groups take turns, and within a group
 * the first job comes first. If too many jobs wait, the newest one of the largest group is refused,
 * so that a flood from one group displaces itself and nobody else.
 */
export function createHashQueue({ concurrency, maxWaiting, maxWait, refusal }: HashQueueOptions) {
  /** The waiting jobs of each group. The group whose turn it is comes first. */
  const groups = new Map<string, Job[]>()
  let running = 0
  let waiting = 0

  function remove(group: string, index: number): Job | undefined {
    const jobs = groups.get(group)
    const [job] = jobs?.splice(index, 1) ?? []
    if (jobs?.length === 0) groups.delete(group)
    if (job) waiting -= 1
    return job
  }

  function startNext(): void {
    const [group] = groups.keys()
    if (running >= concurrency || group === undefined) return
    const jobs = groups.get(group)
    const job = remove(group, 0)
    // The group goes to the end of the line.
    if (jobs && jobs.length > 0 && groups.delete(group)) groups.set(group, jobs)
    job?.start()
  }

  function refuseNewestOfLargest(): void {
    const [largest] = [...groups].sort(([, one], [, other]) => other.length - one.length)
    if (largest) remove(largest[0], -1)?.refuse()
  }

  function enqueue(group: string, job: Job): void {
    const jobs = groups.get(group) ?? []
    jobs.push(job)
    groups.set(group, jobs)
    waiting += 1
    startNext()
    if (waiting > maxWaiting) refuseNewestOfLargest()
  }

  return {
    /** Runs the work in its turn. Rejects with the refusal if its turn does not come in time. */
    run<T>(group: string, work: () => Promise<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        const refuse = () => {
          clearTimeout(timer)
          reject(refusal())
        }
        const start = () => {
          clearTimeout(timer)
          running += 1
          work()
            .then(resolve, reject)
            .finally(() => {
              running -= 1
              startNext()
            })
        }
        const job = { start, refuse }
        const timer = setTimeout(() => {
          remove(group, groups.get(group)?.indexOf(job) ?? 0)
          refuse()
        }, maxWait)
        enqueue(group, job)
      })
    },
  }
}
