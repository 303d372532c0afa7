/**
 * Preloaded into every test process. Ends the process when the test runner no longer exists, for
 * example after a SIGKILL. The services that the process started end with it.
 */
const runner = Number(process.env.TEST_RUNNER_PID)

setInterval(() => {
  try {
    process.kill(runner, 0)
  } catch {
    process.exit(1)
  }
}, 500).unref()
