import { runCommand } from '../src/command/run-command.ts'

/** Run the command in this process. */
export async function run(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', '']
  const exitCode = await runCommand(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) } as unknown as NodeJS.WriteStream,
    signal: new AbortController().signal,
  })
  return { exitCode, stdout, stderr }
}
