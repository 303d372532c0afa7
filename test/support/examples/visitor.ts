/** A page that the visitor is looking at. */
export interface VisitedPage {
  url: URL
  response: Response
  text: string
}

/**
 * Creates a visitor who follows redirects and links and submits forms as a browser does, with a jar
 * of cookies for each host. `reach` says where a public origin really is.
 */
export function createVisitor(reach: Readonly<Record<string, string>>) {
  const jars = new Map<string, Map<string, string>>()

  function jarOf({ hostname }: URL): Map<string, string> {
    const jar = jars.get(hostname) ?? new Map<string, string>()
    jars.set(hostname, jar)
    return jar
  }

  function take(url: URL, response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      const isDeleted = value === '' || /max-age=0|expires=Thu, 01 Jan 1970/i.test(line)
      if (isDeleted) jarOf(url).delete(name)
      else jarOf(url).set(name, value)
    }
  }

  /** Sends one request. Redirects are not followed. */
  async function send(address: string | URL, init: RequestInit = {}): Promise<Response> {
    const url = new URL(address)
    const headers = new Headers(init.headers)
    const cookies = [...jarOf(url)].map(([name, value]) => `${name}=${value}`).join('; ')
    if (cookies) headers.set('cookie', cookies)
    const real = new URL(url.pathname + url.search, reach[url.origin] ?? url.origin)
    const response = await fetch(real, { ...init, headers, redirect: 'manual' })
    take(url, response)
    return response
  }

  /** Follows redirects until there is a page, or until the predicate holds for an address. */
  async function open(
    address: string | URL,
    init: RequestInit = {},
    isLast: (url: URL) => boolean = () => false,
  ): Promise<VisitedPage> {
    let url = new URL(address)
    let response = await send(url, init)
    for (let location = response.headers.get('location'); location; ) {
      await response.body?.cancel()
      url = new URL(location, url)
      if (isLast(url)) break
      response = await send(url)
      location = response.headers.get('location')
    }
    const text = response.bodyUsed ? '' : await response.text()
    return { url, response, text }
  }

  /** Submits the form of the page, with its hidden fields and these ones. */
  function submit(
    { url, text }: VisitedPage,
    fields: Readonly<Record<string, string>>,
    isLast?: (url: URL) => boolean,
  ): Promise<VisitedPage> {
    const action = /<form[^>]*action="([^"]+)"/.exec(text)?.[1] ?? ''
    const hidden = [...text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    const body = new URLSearchParams(fields)
    for (const [, name = '', value = ''] of hidden) body.set(name, value)
    return open(new URL(action, url), { method: 'POST', body }, isLast)
  }

  return { jarOf, send, open, submit }
}

export type Visitor = ReturnType<typeof createVisitor>
