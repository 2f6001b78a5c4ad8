import { ParquetError } from '../parquet-error.ts'
import type { KernelExports } from './kernel-exports.ts'
import { KERNEL_WASM_BASE64 } from './kernel-wasm.ts'

/** The part of WebAssembly that is used here; neither the language's library nor Node's types declare it. */
interface WebAssemblyHost {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: object) => { exports: unknown }
  RuntimeError: new () => Error
}

const { Module, Instance, RuntimeError } = (globalThis as unknown as { WebAssembly: WebAssemblyHost }).WebAssembly

/** undefined in a runtime that never compiles, or that loads files inside requests: its callers pass kernel.wasm */
let kernelModule: object | undefined
try {
  // A Worker may not compile inside a request, so it is compiled while this file loads.
  kernelModule = new Module(Uint8Array.from(atob(KERNEL_WASM_BASE64), (letter) => letter.charCodeAt(0)))
} catch {
  kernelModule = undefined
}

/**
 * Choose the compiled kernel: the built-in one, or else the first one that a caller passed.
 * @param given kernel.wasm, compiled
 * @throws ParquetError `bad_option` if there is neither
 */
export function kernelModuleOr(given: object | undefined): object {
  kernelModule ??= given
  if (!kernelModule) throw new ParquetError('bad_option', 'nothing compiles here: option `kernel` must be kernel.wasm')
  return kernelModule
}

/** @param onPage called by the kernel with each page that it has filled */
export function instantiate(module: object, onPage: (...numbers: number[]) => void): KernelExports {
  return new Instance(module, { 'open-page': { onPage } }).exports as KernelExports
}

/** No page ought to trap the kernel; memory that cannot grow does. */
export function isTrap(error: unknown): boolean {
  return error instanceof RuntimeError
}
