import { span } from './dom.js'
import { at, draw, STEP, svg, TEETH } from './ratchet.js'

const still = matchMedia('(prefers-reduced-motion: reduce)')
/** Degrees by which a tooth lifts the pawl. */
const LIFT = -13

/**
 * The session as a ratchet wheel: the number of the newest generation, which generation each holder has, how much of the
 * grace is left. Turns forward only.
 * @param {SVGElement} root
 */
export function createWheel(root) {
  const parts = draw(root)
  let newest = 0

  const angle = (generation) => (generation - 1) * STEP

  function animate(element, keyframes, options) {
    if (!still.matches) element.animate(keyframes, options)
  }

  function label(holders) {
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
    // Up the slope of the tooth, and down behind it.
    const pawl = [0, LIFT, LIFT, 2.5, 0].map((degrees, index) => ({
      transform: `rotate(${degrees}deg)`,
      offset: [0, 0.5, 0.56, 0.74, 1][index],
    }))
    animate(parts.pawl, pawl, { duration: 620, easing: 'ease-in' })
  }

  return {
    /** @param {{ generation: number, holders: { name: string, letter: string, generation: number }[] }} state */
    show({ generation, holders }) {
      if (generation > newest && newest > 0) turn(newest, generation)
      if (generation < newest) parts.wheel.style.transform = `rotate(${angle(generation || 1)}deg)`
      newest = generation
      parts.number.textContent = generation ? String(generation) : ''
      label(holders)
      const held = holders.map(({ name, generation: own }) => `${name} holds ${own}`).join(', ')
      const told = `A ratchet wheel. The newest generation is ${generation}; ${held || 'nobody holds a token'}.`
      root.setAttribute('aria-label', generation ? told : 'A ratchet wheel, at rest')
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

    /** @param {number} left of the grace, milliseconds @param {number} whole */
    grace(left, whole) {
      const share = left / Math.max(1, whole)
      parts.grace.style.strokeDashoffset = String(100 - 100 * share)
      parts.left.textContent = left > 0 ? `grace ${span(Math.ceil(left / 1000) * 1000)}` : ''
    },

    /** The same answer again: nothing turns. */
    pulse() {
      animate(parts.number, [{ opacity: 1 }, { opacity: 0.25 }, { opacity: 1 }], { duration: 500 })
    },

    /** Somebody pushes it back, and the pawl holds. */
    jam() {
      const rest = angle(newest)
      const push = [0, -2.4, 0.8, -1.6, 0.4, 0].map((degrees) => ({
        transform: `rotate(${rest + degrees}deg)`,
      }))
      animate(parts.wheel, push, { duration: 520, easing: 'ease-out' })
    },
  }
}
