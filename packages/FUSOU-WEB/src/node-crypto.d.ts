// The part of node:crypto that we use: the types of Node as a whole would hide those of the Workers runtime.
declare module 'node:crypto' {
  export interface Hash {
    update(bytes: Uint8Array): Hash
    digest(encoding: 'hex'): string
  }
  export function createHash(algorithm: 'sha256'): Hash
}
