import { type Comparison, summarise } from './comparison.ts'
import { round } from './round.ts'

const [WIDTH, BAR, GAP, LEFT, RIGHT] = [720, 22, 12, 230, 90]
const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/**
 * Returns an SVG with a horizontal bar for each median and a line from its minimum to its maximum.
 * It is readable in light and dark mode.
 */
export function plot({ title, unit, figures }: Comparison): string {
  const bars = figures.map(({ name, values }) => ({ name, ...summarise(values) }))
  const most = Math.max(...bars.map(({ max }) => max), Number.MIN_VALUE)
  const x = (value: number) => LEFT + (value / most) * (WIDTH - LEFT - RIGHT)
  const height = bars.length * (BAR + GAP) + GAP + 28
  const rows = bars.map(({ name, median, min, max }, index) => {
    const y = 28 + GAP + index * (BAR + GAP)
    const middle = y + BAR / 2
    const isOurs = name.startsWith('Pawl')
    const length = (x(median) - LEFT).toFixed(1)
    return [
      `<text x="${LEFT - 10}" y="${middle + 4}" text-anchor="end">${escaped(name)}</text>`,
      `<rect class="${isOurs ? 'ours' : 'other'}" x="${LEFT}" y="${y}" `,
      `width="${length}" height="${BAR}" rx="3"/>`,
      `<path d="M${x(min).toFixed(1)} ${middle}H${x(max).toFixed(1)}"/>`,
      `<text x="${(x(max) + 8).toFixed(1)}" y="${middle + 4}">${round(median)}</text>`,
    ].join('')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" \
role="img" aria-label="${escaped(title)}">
<style>text{font:13px system-ui,sans-serif;fill:#334}.ours{fill:#c2410c}.other{fill:#94a3b8}\
path{stroke:#0f172a;stroke-width:1.5}.title{font-weight:600}
@media(prefers-color-scheme:dark){text{fill:#dde}.other{fill:#64748b}path{stroke:#f1f5f9}}</style>
<text class="title" x="0" y="18">${escaped(title)}, ${escaped(unit)}</text>
${rows.join('\n')}
</svg>
`
}
