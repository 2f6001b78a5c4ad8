import { runAsChild } from '../stack/child.ts'
import type { StackInfo } from '../stack/stack-info.ts'
import { type StackOptions, startStack } from '../stack/start-stack.ts'

export interface StackReady {
  info: StackInfo
  sqlUrl: string
}

/** A stack in a process of its own, as `npm start` is, so that it can be killed with all that belongs to it. */
runAsChild<StackOptions, StackReady>(async (options, fail) => {
  const { info, sqlUrl, stop, failed } = await startStack({ ...options, onLog: (_source, line) => console.log(line) })
  failed.then((error) => stop().then(() => fail(error)))
  return { info, sqlUrl: sqlUrl!, stop }
})
