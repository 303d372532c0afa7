/** The drawing of the wheel. Angles are degrees, clockwise from the top. */

export const TEETH = 20
export const STEP = 360 / TEETH
const TIP = 158
const ROOT = 136
const SVG = 'http://www.w3.org/2000/svg'

/**
 * Creates an SVG element.
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {(Element | string)[]} children
 */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  element.append(...children)
  return element
}

/** Returns the coordinates of a point on the wheel. */
export function at(degrees, radius) {
  const angle = ((degrees - 90) * Math.PI) / 180
  return [Math.cos(angle) * radius, Math.sin(angle) * radius].map((value) =>
    Number(value.toFixed(2)),
  )
}

/** Returns the path of the teeth: steep on the side that the pawl holds, flat on the other. */
function rim() {
  const points = []
  for (let tooth = 0; tooth < TEETH; tooth++) {
    const degrees = tooth * STEP
    points.push(at(degrees, ROOT), at(degrees + 1.2, TIP))
  }
  return `M${points.map((point) => point.join(' ')).join('L')}Z`
}

/** Returns the path of the marks behind the numbers, one for each tooth. */
function ticks() {
  return Array.from({ length: TEETH }, (_, index) => {
    const degrees = (index + 0.5) * STEP
    return `M${at(degrees, 122).join(' ')}L${at(degrees, 127).join(' ')}`
  }).join('')
}

function spokes() {
  return Array.from({ length: 5 }, (_, index) => {
    const [from, to] = [index * 72 + 9, index * 72 + 63]
    const [inner, outer] = [67, 77]
    const corners = [at(from, outer), at(to, outer), at(to - 4, inner), at(from + 4, inner)]
    const [a, b, c, d] = corners.map((point) => point.join(' '))
    return `M${a}A${outer} ${outer} 0 0 1 ${b}L${c}A${inner} ${inner} 0 0 0 ${d}Z`
  }).join('')
}

function stops(id, offsets) {
  return offsets.map((offset, index) => svg('stop', { offset, class: `${id}-${index}` }))
}

/** Returns the gradients. Brass shines in rings, because other light would turn with the wheel. */
function gradients() {
  const whole = { gradientUnits: 'userSpaceOnUse', cx: 0, cy: 0, r: TIP }
  return svg(
    'defs',
    {},
    svg('radialGradient', { id: 'brass', ...whole }, ...stops('brass', [0.36, 0.82, 0.9, 1])),
    svg('linearGradient', { id: 'steel', x1: 0, y1: 0, x2: 1, y2: 1 }, ...stops('steel', [0, 1])),
  )
}

/** Draws everything and returns the parts that move or change. */
export function draw(root) {
  const wheel = svg('g', { class: 'wheel' })
  const labels = svg('g', { class: 'labels' })
  const holders = svg('g', { class: 'holders' })
  wheel.append(
    svg('path', { class: 'rim', d: rim() }),
    svg('circle', { class: 'groove', r: 129 }),
    svg('circle', { class: 'band', r: 104 }),
    svg('path', { class: 'ticks', d: ticks() }),
    svg('path', { class: 'spokes', d: spokes() }),
    labels,
    holders,
  )
  const pawl = svg(
    'g',
    { class: 'pawl' },
    svg('path', {
      class: 'pawl-body',
      d: 'M-101 -190 C-72 -198 -38 -182 -1 -138 L-11 -139 C-40 -160 -66 -170 -96 -166 Z',
    }),
  )
  const grace = svg('circle', { class: 'grace', r: 59, pathLength: 100, transform: 'rotate(-90)' })
  const number = svg('text', { class: 'number', y: 7 })
  const caption = svg('text', { class: 'caption', y: 23 }, 'at rest')
  const left = svg('text', { class: 'left', y: 38 })
  root.append(
    gradients(),
    svg('path', { class: 'axis', d: 'M-196 0H196M0 -206V196' }),
    svg('circle', { class: 'axis', r: 176 }),
    wheel,
    svg('circle', { class: 'hub', r: 54 }),
    svg('circle', { class: 'grace-track', r: 59 }),
    grace,
    number,
    caption,
    left,
    pawl,
    svg('circle', { class: 'pivot', cx: -98, cy: -178, r: 15 }),
    svg('circle', { class: 'pivot-pin', cx: -98, cy: -178, r: 5 }),
  )
  return { wheel, labels, holders, pawl, grace, number, caption, left }
}
