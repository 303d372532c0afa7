import { BlockList, isIP, isIPv4 } from 'node:net'
import type { Device } from '../sessions/device.ts'

/** Length of the IPv6 prefix that a single client has to itself. */
export const CLIENT_BITS = 64
/** Length of the IPv6 prefix that a provider gives to a site, which makes many of the above. */
export const SITE_BITS = 48

/** IPv4 addresses as part of IPv6, in the form that URLs have: the last 32 bits as two numbers. */
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/
/** The length of the prefix that makes an IPv6 address a mapped one. */
const MAPPED_BITS = 96

/**
 * Returns the IP address in an item of `X-Forwarded-For`, which some proxies write with brackets,
 * with the port of the connection, or in quotes. IPv6 addresses get the form of RFC 5952, without a
 * zone, and mapped ones become IPv4. Returns an empty string if the text is not an address.
 */
export function addressIn(text: string | undefined): string {
  if (text === undefined || isIPv4(text)) return text ?? ''
  const item = text.trim().replace(/^"(.*)"$/, '$1')
  const [, ipv4 = ''] = item.match(/^([\d.]+)(?::\d{1,5})?$/) ?? []
  if (isIPv4(ipv4)) return ipv4
  const [, bracketed] = item.match(/^\[(.+)\](?::\d{1,5})?$/) ?? []
  const ipv6 = (bracketed ?? item).replace(/%.*$/, '')
  return isIP(ipv6) === 6 ? unmapped(new URL(`http://[${ipv6}]`).hostname.slice(1, -1)) : ''
}

function unmapped(ipv6: string): string {
  const [, high, low] = ipv6.match(MAPPED) ?? []
  if (high === undefined || low === undefined) return ipv6
  return [high, low]
    .map((digits) => Number.parseInt(digits, 16))
    .flatMap((bits) => [bits >> 8, bits & 255])
    .join('.')
}

/** Returns where a request came from. */
export function deviceOf(request: {
  ip: string | undefined
  headers: { 'user-agent'?: string | undefined }
}): Device {
  return { ip: addressIn(request.ip), userAgent: request.headers['user-agent'] }
}

/**
 * Returns a function that says whether an item of `X-Forwarded-For` is one of these proxies: IP
 * addresses, subnets, or `loopback`. A port that another proxy wrote behind it does not matter.
 */
export function createProxyCheck(proxies: readonly string[]): (item: string) => boolean {
  const list = new BlockList()
  for (const proxy of proxies.flatMap((one) => (one === 'loopback' ? ['127.0.0.0/8', '::1'] : one)))
    addSubnet(list, proxy)
  return (item) => {
    const address = addressIn(item)
    return address !== '' && list.check(address, familyOf(address))
  }
}

function addSubnet(list: BlockList, subnet: string): void {
  const [text = '', prefix] = subnet.split('/')
  const address = addressIn(text)
  const bits = Number(prefix ?? (isIPv4(text) ? 32 : 128))
  const skipped = isIPv4(address) && !isIPv4(text) ? MAPPED_BITS : 0
  list.addSubnet(address, Math.max(0, bits - skipped), familyOf(address))
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6'
}
