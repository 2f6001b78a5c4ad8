import { unwrap } from '@fusou/client'
import type { Commands } from '../commands.ts'
import { readConfig, removeConfig, writeConfig } from '../config.ts'
import { Failure } from '../failure.ts'
import { fields } from '../print.ts'
import { signIn } from '../sign-in.ts'

export function addSignInCommands(commands: Commands): void {
  const { program, session } = commands
  program
    .command('login')
    .description('Store an address, and a key or a sign-in of Supabase, for later calls')
    .requiredOption('--url <address>', 'of the API')
    .option('--key <key>', 'made by "fusou keys create" or POST /api/keys; - reads it from standard input')
    .option('--email <address>', 'of a user; the password is read from standard input')
    .option('--supabase-url <address>')
    .option('--publishable-key <key>', 'of the Supabase project')
    .action(async ({ url, key, email, supabaseUrl, publishableKey }) => {
      if (key === undefined && (email === undefined || supabaseUrl === undefined || publishableKey === undefined))
        throw new Failure('give --key, or --email with --supabase-url and --publishable-key', 2)
      const login =
        key === undefined
          ? { url, user: await signIn({ supabaseUrl, publishableKey }, email, await session.readLine()) }
          : { url, key: key === '-' ? await session.readLine() : key }
      const stored = writeConfig(session.env, login)
      const who = await unwrap(commands.client.api.GET('/api/me'))
      commands.show(who, () => `signed in as ${who.kind} ${who.userId ?? ''}; stored in ${stored}, for you alone\n`)
    })
  program
    .command('logout')
    .description('Forget what "login" stored')
    .action(() => removeConfig(session.env))
  program
    .command('whoami')
    .description('Who the key or sign-in is')
    .action(async () => {
      const who = await unwrap(commands.client.api.GET('/api/me'))
      commands.show(who, () => fields({ url: readConfig(session.env).url, ...who }))
    })
}
