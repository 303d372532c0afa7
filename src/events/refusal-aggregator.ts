import type { NewEvent, RefusalType } from './event.ts'

export type RefusalEvent = Extract<NewEvent, { type: RefusalType }>

/**
 * Different refusals of one type that are told apart within a minute. Anybody can cause refusals
 * without limit, from any number of addresses, and must not be able to fill the database.
 */
const MAX_KINDS = 20

interface Kind {
  /** The first refusal that has not been recorded. */
  next: RefusalEvent | undefined
  times: number
}

/**
 * Creates a filter for refusals. The first one of a kind is recorded at once. Those that follow are
 * counted, and `flush` records them as one event. A kind is a type at one route, by one user from
 * one address. Beyond a limit, all kinds of a type count as one that has neither.
 */
export function createRefusalAggregator(record: (event: RefusalEvent) => void) {
  const kinds = new Map<RefusalType, Map<string, Kind>>()

  function count(own: Map<string, Kind>, key: string, refusal: RefusalEvent): void {
    const kind = own.get(key) ?? { next: undefined, times: 0 }
    own.set(key, kind)
    kind.next ??= refusal
    kind.times++
  }

  return {
    /** Records a refusal, or counts it. */
    add(refusal: RefusalEvent): void {
      const { type, userId, device, detail } = refusal
      const own = kinds.get(type) ?? new Map<string, Kind>()
      kinds.set(type, own)
      const key = JSON.stringify([detail, userId, device?.ip])
      if (own.has(key)) {
        count(own, key, refusal)
      } else if (own.size < MAX_KINDS) {
        own.set(key, { next: undefined, times: 0 })
        record(refusal)
      } else {
        const common = { type, detail: { code: detail.code } } as RefusalEvent
        count(own, `others ${detail.code}`, common)
      }
    },

    /** Records what was counted, and begins anew. */
    flush(): void {
      const counted = [...kinds.values()].flatMap((own) => [...own.values()])
      kinds.clear()
      for (const { next, times } of counted)
        if (next) record({ ...next, detail: { ...next.detail, times } } as RefusalEvent)
    },
  }
}
