#!/usr/bin/env node
import { runCommand } from './run-command.ts'

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  // once: a second signal ends the process as it would any other
  process.once(name, () => stop.abort(new Error(`stopped by ${name}`)))
}
// set, not exit(): what is still to be printed to a pipe would be lost
process.exitCode = await runCommand(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
})
