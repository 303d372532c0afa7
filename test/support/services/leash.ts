import { spawn } from 'node:child_process'
import { chown, mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/**
 * Arguments: folder, signal that ends the service, command...
 * Stdin is the lifeline: its end (the owner has stopped, or died of SIGKILL) kills the service and removes
 * the folder; a line on it kills the service and keeps the folder. Stdout says the service's pid, then its
 * exit code.
 *
 * A shell cannot wait for a process and read at once, so a watcher reads and signals. It repeats the signal
 * each second, because one that comes just before `wait` does not interrupt it; the repeats also serve as the
 * clock by which a service that ignores its signal is killed.
 */
const SCRIPT = `
dir=$1 signal=$2; shift 2
end=
trap 'end=remove' USR1
trap 'end=keep' USR2
trap : PIPE
exec 3<&0
"$@" </dev/null >>"$dir/log" 2>&1 3<&- &
service=$!
echo "$service"
(
  message=USR1
  read -r _ <&3 && message=USR2
  while kill -s "$message" $$; do sleep 1; done
) >/dev/null 2>&1 &
watcher=$!
wait "$service"
code=$?
if [ -z "$end" ]; then
  echo "$code"
  while [ -z "$end" ]; do wait "$watcher"; done
else
  kill -s "$signal" "$service"
  kill -s CONT "$service"
  seconds=0
  while kill -s 0 "$service"; do
    wait "$service"
    seconds=$((seconds + 1))
    [ "$seconds" -le 10 ] || kill -s KILL "$service"
  done
fi 2>/dev/null
[ "$end" = keep ] || rm -rf "$dir" || { sleep 1; rm -rf "$dir"; }
kill "$watcher"
wait "$watcher"
` as const

export interface User {
  uid: number
  gid: number
}

export interface LeashOptions {
  /** A folder of ours to use (again); by default a new temporary one. */
  dir?: string
  /** What ends the service in good order. */
  signal?: NodeJS.Signals
  env?: NodeJS.ProcessEnv
  /** Whom to run as; only root may say. */
  user?: User | undefined
}

export interface Leash {
  dir: string
  /** The service's exit code, once it has ended for whatever reason. */
  exited: Promise<number>
  /** The last lines that the service has printed. */
  log(): Promise<string>
  /** Signals the service itself: SIGKILL, SIGSTOP, SIGCONT... Does nothing once it has ended. */
  kill(signal: NodeJS.Signals): void
  /** Ends the service, if it runs, and removes its folder unless told to keep it. */
  stop(options?: { keep?: boolean }): Promise<void>
}

/** A new temporary folder. Root's TMPDIR may be closed to the user that the service runs as, /tmp is not. */
export async function createFolder(user?: User) {
  const dir = await mkdtemp(join(user ? '/tmp' : tmpdir(), 'pawl-test-'))
  if (user) await chown(dir, user.uid, user.gid)
  return dir
}

/** Starts a process that cannot outlive this one, not even if this one is SIGKILLed. */
export async function leash(
  command: string,
  args: string[],
  options: LeashOptions = {},
): Promise<Leash> {
  const dir = options.dir ?? (await createFolder(options.user))
  const signal = (options.signal ?? 'SIGTERM').replace('SIG', '')
  const child = spawn('sh', ['-c', SCRIPT, 'leash', dir, signal, command, ...args], {
    cwd: dir,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'ignore'],
    // A session of its own: Ctrl-C goes to the whole group of the terminal, and would end the leash first.
    detached: true,
    ...options.user,
  })
  // The leash may have ended before it is told to.
  child.stdin.on('error', () => {})
  const gone = new Promise<void>((resolve, reject) =>
    child.once('exit', () => resolve()).once('error', reject),
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const pid = Number((await Promise.race([lines.next(), gone.then(() => undefined)]))?.value)
  if (!(pid > 1)) throw new Error(`Could not start ${command}`)

  let running = true
  const exited = lines.next().then(({ value }) => {
    running = false
    return Number(value ?? -1)
  })

  return {
    dir,
    exited,
    async log() {
      const text = await readFile(join(dir, 'log'), 'utf8').catch(() => '')
      return text.trimEnd().split('\n').slice(-20).join('\n')
    },
    kill(name) {
      if (running) process.kill(pid, name)
    },
    async stop({ keep = false } = {}) {
      child.stdin.end(keep ? 'keep\n' : undefined)
      await gone
    },
  }
}
