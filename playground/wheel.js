import { span } from './dom.js'
import { at, draw, STEP, svg, TEETH } from './ratchet.js'

const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)')
/** The angle by which a tooth lifts the pawl, in degrees. */
const LIFT = -13

/**
 * Shows the session as a ratchet wheel: the newest generation, the generation of each holder, and
 * the rest of the grace period. The wheel turns forward only.
 * @param {SVGElement} root
 */
export function createWheel(root) {
  const parts = draw(root)
  let newest = 0

  const angle = (generation) => (generation - 1) * STEP

  function animate(element, keyframes, options) {
    if (!reducedMotion.matches) element.animate(keyframes, options)
  }

  function drawLabels(holders) {
    parts.labels.replaceChildren()
    parts.holders.replaceChildren()
    for (let generation = Math.max(1, newest - TEETH + 3); generation <= newest; generation++) {
      const turned = -angle(generation)
      const [x, y] = at(turned, 114)
      const kind = generation === newest ? 'current' : 'spent'
      const text = svg(
        'text',
        { class: kind, x, y, transform: `rotate(${turned} ${x} ${y})` },
        String(generation),
      )
      parts.labels.append(text)
      const here = holders.filter((holder) => holder.generation === generation)
      here.forEach(({ name, letter }, index) => {
        const [cx, cy] = at(turned + (index - (here.length - 1) / 2) * 13, 91)
        const mark = svg('g', {
          class: `mark ${name}`,
          transform: `translate(${cx} ${cy}) rotate(${turned})`,
        })
        mark.append(svg('circle', { r: 9.5 }), svg('text', { y: 4 }, letter))
        parts.holders.append(mark)
      })
    }
  }

  function turn(from, to) {
    const [start, end] = [angle(from), angle(to)]
    parts.wheel.style.transform = `rotate(${end}deg)`
    const wheel = [start, end + 3, end].map((degrees) => ({ transform: `rotate(${degrees}deg)` }))
    wheel[1].offset = 0.72
    animate(parts.wheel, wheel, { duration: 620, easing: 'cubic-bezier(.45,0,.4,1)' })
    // The pawl slides up the slope of the tooth and drops behind it.
    const pawl = [0, LIFT, LIFT, 2.5, 0].map((degrees, index) => ({
      transform: `rotate(${degrees}deg)`,
      offset: [0, 0.5, 0.56, 0.74, 1][index],
    }))
    animate(parts.pawl, pawl, { duration: 620, easing: 'ease-in' })
  }

  return {
    /**
     * @typedef {{ name: string, letter: string, generation: number }} Mark
     * @param {{ generation: number, holders: Mark[] }} state
     */
    show({ generation, holders }) {
      if (generation > newest && newest > 0) turn(newest, generation)
      if (generation < newest) parts.wheel.style.transform = `rotate(${angle(generation || 1)}deg)`
      newest = generation
      parts.number.textContent = generation ? String(generation) : ''
      drawLabels(holders)
      const tokens = holders.map(({ name, generation: own }) => `${name} holds ${own}`).join(', ')
      const label =
        `A ratchet wheel. The newest generation is ${generation}; ` +
        `${tokens || 'nobody holds a token'}.`
      root.setAttribute('aria-label', generation ? label : 'A ratchet wheel, at rest')
    },

    /** @param {'rest' | 'live' | 'locked' | 'ended'} state */
    set(state) {
      root.dataset.state = state
      parts.caption.textContent = {
        rest: 'at rest',
        live: 'generation',
        locked: 'locked',
        ended: 'ended',
      }[state]
    },

    /** Shows the rest of the grace period. Both are milliseconds. */
    grace(left, total) {
      const share = left / Math.max(1, total)
      parts.grace.style.strokeDashoffset = String(100 - 100 * share)
      parts.left.textContent = left > 0 ? `grace ${span(Math.ceil(left / 1000) * 1000)}` : ''
    },

    /** Shows that the server repeated a response and nothing turned. */
    pulse() {
      animate(parts.number, [{ opacity: 1 }, { opacity: 0.25 }, { opacity: 1 }], { duration: 500 })
    },

    /** Shows that a push backwards fails because the pawl holds. */
    jam() {
      const rest = angle(newest)
      const push = [0, -2.4, 0.8, -1.6, 0.4, 0].map((degrees) => ({
        transform: `rotate(${rest + degrees}deg)`,
      }))
      animate(parts.wheel, push, { duration: 520, easing: 'ease-out' })
    },
  }
}
