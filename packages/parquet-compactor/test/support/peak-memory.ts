import { readFileSync } from 'node:fs'

/**
 * The most memory that this process ever held, in bytes. It never falls, so buffers that are released at once count too.
 * On Linux the maxRSS of a process begins with that of its parent, and may hide what the process takes itself.
 */
export function peakMemoryBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024
  return Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024
}
