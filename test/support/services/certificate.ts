import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** A self-signed certificate for this machine, and its key. */
export interface Certificate {
  /** The file of the certificate, which is its own authority. */
  path: string
  /** The file of the key. */
  key: string
  /** The settings by which a Redis server or a Sentinel uses it. */
  settings: [name: string, value: string][]
  /** The same as arguments of the command line. */
  flags: string[]
}

/**
 * Creates a certificate in `folder`, for this machine unless it is for others. Returns undefined if
 * openssl cannot do it.
 */
export function createCertificate(
  folder: string,
  names = 'IP:127.0.0.1,DNS:localhost',
): Certificate | undefined {
  const [path, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', `subjectAltName=${names}`]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const files = ['-keyout', key, '-out', path]
  if (spawnSync('openssl', ['req', '-x509', ...kind, ...subject, ...files]).status !== 0)
    return undefined
  const settings: [string, string][] = [
    ['tls-cert-file', path],
    ['tls-key-file', key],
    ['tls-ca-cert-file', path],
    ['tls-auth-clients', 'no'],
    ['tls-replication', 'yes'],
  ]
  return { path, key, settings, flags: settings.flatMap(([name, value]) => [`--${name}`, value]) }
}
