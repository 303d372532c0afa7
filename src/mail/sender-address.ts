/** The sender of mails: an address, and perhaps a name. */
export interface SenderAddress {
  name: string
  address: string
}

const ADDRESS = /^[^\s<>"(),:;@\\]{1,64}@[a-z0-9.-]{1,189}$/i
const WITH_NAME = /^"?([^"<>\r\n]{1,100}?)"?\s*<([^<>]+)>$/

/** Reads a sender such as `Example <login@example.com>`. Returns undefined if it is not one. */
export function parseSender(text: string): SenderAddress | undefined {
  const [, name = '', inside = ''] = WITH_NAME.exec(text) ?? []
  const address = name ? inside : text
  return ADDRESS.test(address) ? { name, address } : undefined
}
