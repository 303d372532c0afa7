/**
 * @param {string} tag
 * @param {Record<string, unknown>} properties of the element; `data-` and `aria-` names and `role` are attributes
 * @param {(Node | string)[]} children
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (/^(data-|aria-|role$)/.test(name)) element.setAttribute(name, String(value))
    else element[name] = value
  }
  element.append(...children)
  return element
}

/** @param {string} id */
export const byId = (id) => document.getElementById(id)

/** A button that does one thing at a time and keeps the focus while it cannot be pressed. */
export function button(text, act, className = '') {
  let busy = false
  const element = h('button', { type: 'button', className }, text)
  element.addEventListener('click', async () => {
    if (busy || element.getAttribute('aria-disabled') === 'true') return
    busy = true
    try {
      await act()
    } finally {
      busy = false
    }
  })
  return element
}

/** @param {Element} element */
export function enable(element, enabled) {
  if (enabled) element.removeAttribute('aria-disabled')
  else element.setAttribute('aria-disabled', 'true')
}

/** Seconds as `14:59`, rounded up, so that 0:00 is the end. */
export function countdown(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** A span of time in words: `4 s`, `2 min`. */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000))
  return seconds < 120 ? `${seconds}\u00a0s` : `${Math.round(seconds / 60)}\u00a0min`
}
