import { spawn } from 'node:child_process'
import { chown, mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/**
 * Arguments: the folder, the signal that stops the service, and the command with its arguments.
 *
 * Stdin ends when the owner stops or dies, even by SIGKILL. The script then stops the service and
 * removes the folder. A line on stdin stops the service and keeps the folder. The script prints the
 * service's pid, and later its exit code, on stdout.
 *
 * A shell cannot wait for a process and read at the same time, so a second process reads stdin and
 * signals the shell. It repeats the signal each second, because a signal that comes just before
 * `wait` does not interrupt it. The shell counts the repeats, and kills a service that ignores its
 * signal for 10 seconds.
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
  /** The folder to use, for example that of an earlier run. By default a new temporary folder. */
  dir?: string
  /** The signal that shuts the service down in an orderly way. */
  signal?: NodeJS.Signals
  env?: NodeJS.ProcessEnv
  /** The user to run the service as. Only root can set it. */
  user?: User | undefined
}

export interface Leash {
  dir: string
  /** Resolves to the service's exit code when the service ends for any reason. */
  exited: Promise<number>
  /** Returns the last 20 lines of the service's output. */
  log(): Promise<string>
  /**
   * Signals the service itself, for example with SIGKILL, SIGSTOP or SIGCONT. Does nothing after it
   * has ended.
   */
  kill(signal: NodeJS.Signals): void
  /** Stops the service if it runs. Removes its folder unless `keep` is set. */
  stop(options?: { keep?: boolean }): Promise<void>
}

/**
 * Creates a temporary folder. A service that runs as another user gets it in /tmp, because that
 * user may have no access to root's TMPDIR.
 */
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
    // The shell runs in a process group of its own. Otherwise Ctrl-C, which signals the terminal's
    // whole group, would end it before the service is stopped.
    detached: true,
    ...options.user,
  })
  // The shell may have ended before stdin is written or closed.
  child.stdin.on('error', () => {})
  const shellExited = new Promise<void>((resolve, reject) =>
    child.once('exit', () => resolve()).once('error', reject),
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const pid = Number((await Promise.race([lines.next(), shellExited.then(() => undefined)]))?.value)
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
      await shellExited
    },
  }
}
