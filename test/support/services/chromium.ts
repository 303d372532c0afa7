import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { type Binary, debianPackage, isExecutable, libraries, onPath } from './binaries.ts'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const MACOS = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'

/** Finds a Chromium that starts, or fetches one for these tests. Otherwise returns the reason. */
export async function findChromium(): Promise<Binary | { missing: string }> {
  const reasons: string[] = []
  for (const find of [findInstalled, fetchDebianPackage]) {
    try {
      const binary = await find()
      if (!binary) continue
      await (await launch(binary)).close()
      return binary
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error))
    }
  }
  return { missing: ['no chromium or google-chrome on PATH that starts', ...reasons].join('\n') }
}

async function findInstalled(): Promise<Binary | undefined> {
  for (const name of NAMES) {
    const command = await onPath(name)
    if (command) return { command, env: {} }
  }
  return (await isExecutable(MACOS)) ? { command: MACOS, env: {} } : undefined
}

async function fetchDebianPackage(): Promise<Binary | undefined> {
  const root = await debianPackage('chromium')
  // The script in usr/bin does not work here, because it expects its files below `/`.
  const command = root && join(root, 'usr/lib/chromium/chromium')
  if (!command || !(await isExecutable(command))) return undefined
  const env = await libraries(root)
  // PulseAudio keeps a library that Chromium needs in a folder of its own.
  const folders = (env.LD_LIBRARY_PATH ?? '')
    .split(':')
    .flatMap((folder) => [folder, join(folder, 'pulseaudio')])
  const fonts = existsSync(join(root, 'etc/fonts'))
    ? { FONTCONFIG_PATH: join(root, 'etc/fonts'), FONTCONFIG_SYSROOT: root }
    : {}
  return { command, env: { LD_LIBRARY_PATH: folders.join(':'), ...fonts } }
}

/** Starts Chromium without a window, with a new profile, and without background requests. */
export function launch({ command, env }: Binary) {
  return chromium.launch({
    executablePath: command,
    env: { ...process.env, ...env } as Record<string, string>,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
