// The package ships no types; this is what we use of it.
declare module '@dotenvx/primitives' {
  /** Values that the key does not open come back as they are, `encrypted:…`. */
  export function parseSync(
    text: string,
    options: { processEnv: Record<string, string>; fk: string[] },
  ): { parsed: Record<string, string> }
}
