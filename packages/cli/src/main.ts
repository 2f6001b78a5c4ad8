#!/usr/bin/env node
import { createInterface } from 'node:readline'
import { run } from './program.ts'

/** The first line of standard input; a terminal does not show what is typed. */
async function readLine(): Promise<string> {
  const isTerminal = process.stdin.isTTY === true
  if (isTerminal) process.stderr.write('password or key: ')
  const lines = createInterface({ input: process.stdin, terminal: isTerminal })
  if (isTerminal) Object.assign(lines, { _writeToOutput: () => undefined })
  for await (const line of lines) {
    if (isTerminal) process.stderr.write('\n')
    return line.trim()
  }
  return ''
}

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  isTerminal: process.stderr.isTTY === true,
  readLine,
})
