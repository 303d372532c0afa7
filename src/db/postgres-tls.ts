import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import {
  type ConnectionOptions,
  checkServerIdentity,
  createSecureContext,
  type SecureVersion,
} from 'node:tls'

const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const

/** How connections are encrypted, with the names of files that are not read yet. */
export interface Tls {
  mode: (typeof MODES)[number]
  rootCert: string | undefined
  cert: string | undefined
  key: string | undefined
  passphrase: string | undefined
  isDirect: boolean
  minVersion: SecureVersion | undefined
  maxVersion: SecureVersion | undefined
}

/** Returns what the parameters about TLS ask for. Throws an error that names one that is wrong. */
export function readTls(parameters: Record<string, string | undefined>): Tls {
  const { ssl, sslrootcert, sslcert, sslkey, sslpassword } = parameters
  wordOf('ssl', ssl, ['true', 'false'])
  const negotiation = wordOf('sslnegotiation', parameters.sslnegotiation, ['postgres', 'direct'])
  const mode = modeOf(parameters)
  const isRequired = ['require', 'verify-ca', 'verify-full'].includes(mode)
  for (const name of ['sslrootcert', 'sslcert', 'sslkey'])
    if (parameters[name] && !isRequired)
      throw new Error(
        `has the parameter ${name}, which needs sslmode=verify-full, verify-ca or require`,
      )
  if (negotiation === 'direct' && !isRequired)
    throw new Error('has the parameter sslnegotiation=direct, which needs sslmode=require or more')
  if (!sslcert !== !sslkey) throw new Error('must have both parameters, sslcert and sslkey')
  return {
    // libpq verifies the authority if there is one to verify with.
    mode: mode === 'require' && sslrootcert ? 'verify-ca' : mode,
    rootCert: sslrootcert === 'system' ? undefined : sslrootcert,
    cert: sslcert,
    key: sslkey,
    passphrase: sslpassword,
    isDirect: negotiation === 'direct',
    minVersion: wordOf('ssl_min_protocol_version', parameters.ssl_min_protocol_version, VERSIONS),
    maxVersion: wordOf('ssl_max_protocol_version', parameters.ssl_max_protocol_version, VERSIONS),
  }
}

function modeOf({ sslmode, ssl, sslaccept, sslrootcert }: Record<string, string | undefined>) {
  const fallback = { true: 'require', false: 'disable' }[ssl ?? '']
  const mode = wordOf('sslmode', sslmode ?? fallback, MODES)
  const accept = wordOf('sslaccept', sslaccept, ['strict', 'accept_invalid_certs'])
  const isVerified = mode === 'verify-ca' || mode === 'verify-full'
  if (sslrootcert === 'system') {
    if (mode && mode !== 'verify-full')
      throw new Error('has the parameter sslrootcert=system, which needs sslmode=verify-full')
    return 'verify-full'
  }
  if (accept === 'accept_invalid_certs' && (isVerified || sslrootcert))
    throw new Error('has the parameter sslaccept=accept_invalid_certs beside one that verifies')
  if (accept === 'strict' && !isVerified) return 'verify-full'
  return mode ?? 'prefer'
}

function wordOf<const T extends string>(
  name: string,
  value: string | undefined,
  words: readonly T[],
): T | undefined {
  if (value !== undefined && !words.some((word) => word === value))
    throw new Error(`has the parameter ${name}, which must be one of ${words.join(', ')}`)
  return value as T | undefined
}

/**
 * Reads the files and returns the option of the driver. `allow` is `prefer`, which uses TLS if the
 * server has it. Throws an error that names the parameter of a file that cannot be used.
 */
export function tlsOptions(tls: Tls, hosts: readonly string[]) {
  const { mode, passphrase, minVersion, maxVersion } = tls
  if (mode === 'disable') return false
  if (mode === 'allow' || mode === 'prefer') return 'prefer'
  const ca = read('sslrootcert', tls.rootCert)
  const [cert, key] = [read('sslcert', tls.cert), read('sslkey', tls.key)]
  check('sslrootcert', () => ca && new X509Certificate(ca))
  check('sslcert and sslkey', () => createSecureContext({ cert, key, passphrase }))
  return {
    secureContext: createSecureContext({ ca, cert, key, passphrase, minVersion, maxVersion }),
    rejectUnauthorized: mode !== 'require',
    checkServerIdentity: mode === 'verify-full' ? identityCheck(hosts) : () => undefined,
    ...(tls.isDirect && { ALPNProtocols: ['postgresql'] }),
  } satisfies ConnectionOptions
}

/** The driver says the name of the server to TLS only if it is not an IP address. */
function identityCheck(hosts: readonly string[]): typeof checkServerIdentity {
  const [host = ''] = hosts
  if (!hosts.some((one) => isIP(one))) return checkServerIdentity
  if (hosts.length > 1)
    throw new Error('sslmode=verify-full needs names, not IP addresses, if there are several hosts')
  return (_name, certificate) => checkServerIdentity(host, certificate)
}

function read(name: string, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path)
  } catch (error) {
    throw new Error(`the file of ${name} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

function check(name: string, use: () => unknown): void {
  try {
    use()
  } catch {
    throw new Error(`TLS: the content of ${name} is not usable`)
  }
}
