/**
 * Preloaded into every test process: ends it when the runner is gone, as after a SIGKILL. The services that
 * the process has started for itself end with it.
 */
const runner = Number(process.env.TEST_RUNNER_PID)

setInterval(() => {
  try {
    process.kill(runner, 0)
  } catch {
    process.exit(1)
  }
}, 500).unref()
