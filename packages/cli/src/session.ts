import { FusouClient } from '@fusou/client'
import { type Config, readConfig, writeConfig } from './config.ts'
import { renewed } from './sign-in.ts'

export interface Streams {
  out(text: string): void
  err(text: string): void
  readonly isTerminal: boolean
}

/** The surroundings of a command. */
export interface Session extends Streams {
  readonly env: Readonly<Record<string, string | undefined>>
  /** password and the like, where the command asks for it */
  readLine(): Promise<string>
}

export function openClient(session: Session): FusouClient {
  let config: Config = readConfig(session.env)
  const token = async () => {
    if (config.key !== undefined || config.user === undefined) return config.key ?? ''
    const user = await renewed(config.user)
    if (user !== config.user) {
      config = { ...config, user }
      writeConfig(session.env, config)
    }
    return user.accessToken
  }
  return new FusouClient({ url: config.url, token })
}
