import { AlertChannel, loadEnvironment, log } from '@fusou/catalog'
import envFile from '../../../.env.production'
import { type AlertChannels, alertChannels } from './alerts/alert-channels.ts'
import type { Env } from './env.ts'

/** The address of the dead man's switch, if there is one. */
export const heartbeatUrl = (env: Env): string | undefined => loadEnvironment(env, envFile).ALERT_HEARTBEAT_URL

let told = false

/**
 * The channels that the environment sets up; an isolate says once in its log which are off.
 * @throws FusouError `not_configured`
 */
export function openAlertChannels(env: Env): AlertChannels {
  const channels = alertChannels(loadEnvironment(env, envFile))
  if (!told) {
    const states = AlertChannel.options.map((name) => [name, channels.has(name) ? 'on' : 'off'] as const)
    const heartbeat = heartbeatUrl(env) === undefined ? 'off' : 'on'
    log('info', 'alert_channels', { ...Object.fromEntries(states), heartbeat })
    told = true
  }
  return channels
}
