import { isIP } from 'node:net'
import { isOrigin } from '../../http/origins.ts'
import { duration, flag, oneOf, optional, splitList, variable, wholeNumber } from '../variable.ts'

export const SERVER_VARIABLES = {
  host: variable<string>('HOST', {
    default: '127.0.0.1',
    format: 'an address to listen on',
    isValid: () => true,
    parse: String,
    description:
      'Address to listen on. `0.0.0.0` or `::` accepts connections from other machines too.',
  }),
  port: wholeNumber('PORT', [0, 65_535], {
    default: '3000',
    description: 'Port to listen on. With `0` the operating system chooses a free one.',
  }),
  requestTimeout: duration('REQUEST_TIMEOUT', {
    default: '30s',
    shortest: '1s',
    description:
      'How long a request may take to arrive, with its headers and its body. A slower one gets a ' +
      '408 within a second after that.',
  }),
  trustProxy: variable<boolean | string[]>('TRUST_PROXY', {
    default: 'false',
    format:
      'true, false, or a comma-separated list of proxies: IP addresses, subnets such as ' +
      '10.0.0.0/8, or loopback',
    isValid: (text) => isTrueOrFalse(text) || splitList(text).every(isProxy),
    parse: (text) => (isTrueOrFalse(text) ? text === 'true' : splitList(text)),
    description:
      'Reverse proxies whose `X-Forwarded-*` headers are believed, so that the address of each ' +
      'client is known ([guide](guides/reverse-proxy.md)). `true` believes every sender: use it ' +
      'only if the proxy alone can reach the port.',
  }),
  corsOrigins: variable<readonly string[]>('CORS_ORIGINS', {
    default: '',
    format:
      'a comma-separated list of origins as browsers send them, such as ' +
      'https://app.example.com or capacitor://localhost',
    isValid: (text) => splitList(text).every(isOrigin),
    parse: splitList,
    description:
      'Exact origins, comma-separated, whose pages may call this server and use its refresh ' +
      'cookie ([guide](guides/spa-other-origin.md)). CORS is off if the list is empty.',
  }),
  rateLimit: flag('RATE_LIMIT', ['on', 'off'], {
    default: 'on',
    description:
      'Whether the requests of each client address, which every process counts for itself, and ' +
      'wrong passwords are limited ([guide](guides/abuse.md)).',
  }),
  playground: optional<boolean>('PLAYGROUND', {
    computedDefault: '`false` if `DATABASE_URL` is set, otherwise `true`',
    format: 'true or false',
    isValid: isTrueOrFalse,
    parse: (text) => text === 'true',
    description:
      'Whether `/` serves the playground, a page that shows a session at work. It is meant for ' +
      'a first look, not for production.',
  }),
  metrics: variable<'on' | 'off' | number>('METRICS', {
    default: 'off',
    format: 'on, off, or a port from 0 to 65535',
    isValid: (text) => text === 'on' || text === 'off' || isPort(text),
    parse: (text) => (text === 'on' || text === 'off' ? text : Number(text)),
    description:
      'Where `GET /metrics` is served, for Prometheus: not at all, on `PORT` together with ' +
      'everything else (`on`), or on a port of its own at `HOST`, so that the public one does ' +
      'not have it. With `0` the operating system chooses a free port.',
  }),
  openapi: flag('OPENAPI', ['on', 'off'], {
    default: 'on',
    description: 'Whether `GET /openapi.json` describes the routes.',
  }),
  logLevel: oneOf('LOG_LEVEL', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
    description:
      'Lowest level that is logged. `debug` adds every refresh and every file of the playground.',
  }),
}

function isTrueOrFalse(text: string): boolean {
  return text === 'true' || text === 'false'
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535
}

/** Returns whether the text is `loopback`, an IP address or a subnet. */
function isProxy(text: string): boolean {
  if (text === 'loopback') return true
  const [address = '', prefix = '0', ...rest] = text.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  return (
    isIP(address) > 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits && rest.length === 0
  )
}
