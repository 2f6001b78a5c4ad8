import startSupabase from '@fusou/embedded-supabase/vitest-global-setup'
import type { TestProject } from 'vitest/node'
import { startAlertReceiver } from './alert-receiver.ts'

declare module 'vitest' {
  interface ProvidedContext {
    alertReceiverUrl: string
  }
}

/** Starts the embedded Supabase, and a receiver of alerts. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [stopSupabase, receiver] = await Promise.all([startSupabase(project), startAlertReceiver()])
  project.provide('alertReceiverUrl', receiver.url)
  return async () => {
    receiver.stop()
    await stopSupabase()
  }
}
