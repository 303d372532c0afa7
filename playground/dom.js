/**
 * Creates an element. Names with `data-` or `aria-` and `role` are set as attributes.
 * @param {string} tag
 * @param {Record<string, unknown>} properties
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

/** Creates a button that runs one action at a time. It keeps the focus while it is disabled. */
export function button(text, act, className = '') {
  let isBusy = false
  const element = h('button', { type: 'button', className }, text)
  element.addEventListener('click', async () => {
    if (isBusy || element.getAttribute('aria-disabled') === 'true') return
    isBusy = true
    try {
      await act()
    } finally {
      isBusy = false
    }
  })
  return element
}

/** Enables or disables a button. A disabled one can still have the focus. */
export function enable(element, isEnabled) {
  if (isEnabled) element.removeAttribute('aria-disabled')
  else element.setAttribute('aria-disabled', 'true')
}

/** Formats milliseconds as `14:59`, rounded up, so that 0:00 is the end. */
export function countdown(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/** Formats milliseconds as `4 s` or `2 min`. */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000))
  return seconds < 120 ? `${seconds}\u00a0s` : `${Math.round(seconds / 60)}\u00a0min`
}
