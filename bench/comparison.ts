/** A measured figure, with its value in every round. */
export interface Figure {
  name: string
  values: number[]
}

/** A target for speed: the ratio of two figures, or one figure by itself. */
export interface Target {
  figure: string
  /**
   * The figure that `figure` is divided by, round by round. Without it, `figure` itself is
   * compared.
   */
  per?: string
  is: 'at least' | 'at most'
  value: number
}

export interface Comparison {
  title: string
  unit: string
  figures: Figure[]
  targets: Target[]
  /** What a reader of the figures must know. Each note is one sentence. */
  notes?: string[]
}

export interface Settings {
  /** Runs everything within a minute, only to check that the benchmark works. */
  quick: boolean
  say: (text: string) => void
}

export interface Summary {
  median: number
  min: number
  max: number
}

export function summarise(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return { median: (low + high) / 2, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 }
}

export interface Verdict extends Summary {
  target: Target
  isMet: boolean
}

/** Returns whether the median meets the target, or undefined if a figure was not measured. */
export function judge(
  { figures }: Pick<Comparison, 'figures'>,
  target: Target,
): Verdict | undefined {
  const valuesOf = (name: string) => figures.find((figure) => figure.name === name)?.values
  const values = valuesOf(target.figure)
  const others = target.per === undefined ? values?.map(() => 1) : valuesOf(target.per)
  if (!values || !others) return undefined
  const summary = summarise(values.map((value, round) => value / (others[round] ?? Number.NaN)))
  const isMet =
    target.is === 'at least' ? summary.median >= target.value : summary.median <= target.value
  return { ...summary, target, isMet }
}

/**
 * Measures all contenders once in every round, so that a disturbance of the machine affects all of
 * them.
 */
export async function interleave<T extends { name: string }>(
  contenders: readonly T[],
  rounds: number,
  measure: (contender: T, round: number) => Promise<number>,
): Promise<Figure[]> {
  const figures = contenders.map(({ name }) => ({ name, values: [] as number[] }))
  for (let round = 0; round < rounds; round++)
    for (const [index, contender] of contenders.entries())
      figures[index]?.values.push(await measure(contender, round))
  return figures
}
