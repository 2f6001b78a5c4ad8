import type { Environment } from '@fusou/catalog'

const digest = (text: string) => crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))

/** Compares in constant time; digests are of one length, so that not even the length of the token shows. */
export function operatorVerifier({ OPERATOR_TOKEN }: Environment): (token: string) => Promise<boolean> {
  return async (token) => {
    const [given, wanted] = await Promise.all([digest(token), digest(OPERATOR_TOKEN)])
    return crypto.subtle.timingSafeEqual(given, wanted)
  }
}
