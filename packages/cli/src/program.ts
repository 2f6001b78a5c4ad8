import { ApiError } from '@fusou/client'
import { Command, CommanderError } from 'commander'
import { addJobCommands } from './commands/job-commands.ts'
import { addKeyCommands } from './commands/key-commands.ts'
import { addLookCommands } from './commands/look-commands.ts'
import { addManageCommands } from './commands/manage-commands.ts'
import { addReadCommands } from './commands/read-commands.ts'
import { addSignInCommands } from './commands/sign-in-commands.ts'
import { addUploadCommand } from './commands/upload-command.ts'
import { Commands } from './commands.ts'
import { completionScript } from './completion.ts'
import { Failure } from './failure.ts'
import type { Session } from './session.ts'

/** The command `fusou`. */
export function createProgram(session: Session): Command {
  const { out, err } = session
  const program = new Command('fusou')
    .description('Upload Parquet files, look at what became of them, and manage datasets of FUSOU compaction.')
    .option('--json', 'print answers as JSON, one a line, for programs')
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText(
      'after',
      `
Examples:
  fusou login --url https://fusou.pages.dev --key fsk_…
  fusou upload measurements/ --to sea/waves
  fusou ls sea
  fusou query sea/waves "select count(*) from waves"
  fusou link sea/waves --expires 7d
  fusou settings sea/waves sortBy='[{"column":"time"}]' codec=zstd
  fusou keys create "buoy 7" --scope upload --dataset 'sea*'

FUSOU_URL and FUSOU_TOKEN win over what "login" stored. Exit codes: 0 done, 1 failed, 2 called wrongly.`,
    )
    .configureOutput({ writeOut: out, writeErr: err })
    .exitOverride()
  const commands = new Commands(program, session)
  addSignInCommands(commands)
  addUploadCommand(commands)
  addLookCommands(commands)
  addReadCommands(commands)
  addJobCommands(commands)
  addManageCommands(commands)
  addKeyCommands(commands)
  program
    .command('completion')
    .description('A script that completes commands: eval "$(fusou completion bash)"')
    .addArgument(program.createArgument('<shell>', '').choices(['bash', 'zsh']))
    .action((shell: string) => out(completionScript(program, shell)))
  return program
}

/** @returns the exit code */
export async function run(args: readonly string[], session: Session): Promise<number> {
  try {
    await createProgram(session).parseAsync([...args], { from: 'user' })
    return 0
  } catch (error) {
    // it has said so already: help, the version, a wrong argument
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof Failure) {
      session.err(`fusou: ${error.message}\n`)
      return error.exitCode
    }
    if (error instanceof ApiError) {
      session.err(`fusou: ${error.code}: ${error.message}${error.requestId ? ` (request ${error.requestId})` : ''}\n`)
      return 1
    }
    if (error instanceof TypeError && error.message === 'fetch failed') {
      session.err(`fusou: no connection: ${(error.cause as Error | undefined)?.message ?? error.message}\n`)
      return 1
    }
    throw error
  }
}
